import HTTPTypes
import PromQLEngine
import SeriesModel
import StorageAPI

/// `status/*`, `features`, `notifications`, `/version`.
extension APIRoutes {
    var statusRoutes: [Route] {
        [
            Route([.get], "/api/v1/status/config") { _ in config() },
            Route([.get], "/api/v1/status/flags") { _ in flags() },
            Route([.get], "/api/v1/status/runtimeinfo") { _ in runtimeInfo() },
            Route([.get], "/api/v1/status/buildinfo") { _ in .success { write(services.build, to: &$0) } },
            Route([.get], "/api/v1/status/tsdb") { try storageStatus($0) },
            Route([.get], "/api/v1/status/walreplay", isAlwaysAvailable: true) { _ in logReplay() },
            Route([.get], "/api/v1/features") { _ in features() },
            Route([.get], "/api/v1/notifications", isAlwaysAvailable: true) { _ in notifications() },
            Route([.get], "/version", isAlwaysAvailable: true) { _ in version() },
        ]
    }

    private func config() -> APIResponse {
        .success { writer in writer.object { $0.field("yaml", services.configuration()) } }
    }

    private func flags() -> APIResponse {
        .success { writer in
            writer.object { writer in
                for (name, value) in services.flags.sorted(by: { $0.key < $1.key }) {
                    writer.key(text: name)
                    writer.string(value)
                }
            }
        }
    }

    private func runtimeInfo() -> APIResponse {
        let runtime = services.runtime()
        let storage = services.storageStatus
        return .success { writer in
            writer.object { writer in
                writer.field("startTime", time: runtime.startTime)
                writer.field("CWD", runtime.workingDirectory)
                writer.field("hostname", runtime.hostname)
                writer.field("serverTime", time: services.clock.now())
                writer.field("reloadConfigSuccess", boolean: runtime.isReloadSuccessful)
                writer.field("lastConfigTime", time: runtime.lastReloadTime)
                writer.field("corruptionCount", integer: storage.corruptionCount)
                // Clients want these fields; here they are threads, cores, and no limit.
                writer.field("goroutineCount", integer: runtime.threadCount)
                writer.field("GOMAXPROCS", integer: runtime.processorCount)
                writer.field("GOMEMLIMIT", integer: Int64.max)
                writer.field("GOGC", "")
                writer.field("GODEBUG", "")
                writer.field("storageRetention", storage.retentionDescription)
            }
        }
    }

    /// Without `features`: a data source that has them is taken for Mimir.
    private func write(_ build: BuildInfo, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("version", build.version)
            writer.field("revision", build.revision)
            writer.field("branch", build.branch)
            writer.field("buildUser", build.buildUser)
            writer.field("buildDate", build.buildDate)
            writer.field("goVersion", build.goVersion)
            writer.field("hearthVersion", build.hearthVersion)
        }
    }

    private func version() -> APIResponse {
        var writer = JSONWriter()
        write(services.build, to: &writer)
        return APIResponse(contentType: APIResponse.jsonType, body: .bytes(writer.takeBytes()))
    }

    private static let cardinalityRowMax = 10_000

    private func storageStatus(_ request: APIRequest) throws -> APIResponse {
        var limit = 10
        if !request.form["limit"].isEmpty {
            guard let count = Int(request.form["limit"]), count >= 1 else {
                throw APIError(.badData, "limit must be a positive number")
            }
            guard count <= APIRoutes.cardinalityRowMax else {
                throw APIError(.badData, "limit must not exceed \(APIRoutes.cardinalityRowMax)")
            }
            limit = count
        }
        let head = services.storageStatus.headStatistics()
        let cardinality = services.storageStatus.cardinality(limit: limit)
        return .success { writer in
            writer.object { writer in
                writer.key("headStats")
                writer.object { writer in
                    writer.field("numSeries", integer: head.seriesCount)
                    writer.field("numLabelPairs", integer: head.labelPairCount)
                    writer.field("chunkCount", integer: head.chunkCount)
                    // An empty head has the range that contains nothing, as upstream.
                    writer.field("minTime", integer: head.range?.min ?? Int64.max)
                    writer.field("maxTime", integer: head.range?.max ?? Int64.min)
                }
                writer.rows("seriesCountByMetricName", cardinality.seriesCountByMetricName)
                writer.rows("labelValueCountByLabelName", cardinality.valueCountByLabelName)
                writer.rows("memoryInBytesByLabelName", cardinality.memoryByLabelName)
                writer.rows("seriesCountByLabelValuePair", cardinality.seriesCountByLabelPair)
                // Beyond upstream's fields.
                writer.field("compaction", services.storageStatus.compactionDescription ?? "")
                writer.damages(services.storageStatus.damages)
            }
        }
    }

    /// Upstream's shape. One that is over is not listed any more.
    private func notifications() -> APIResponse {
        .success { writer in
            writer.array(of: services.storageStatus.problems) { writer, problem in
                writer.object { writer in
                    writer.field("text", problem.text)
                    writer.field("date", time: problem.since)
                    writer.field("active", boolean: true)
                }
            }
        }
    }

    private func logReplay() -> APIResponse {
        let replay = services.logReplay()
        return .success { writer in
            writer.object { writer in
                writer.field("min", integer: replay.first)
                writer.field("max", integer: replay.last)
                writer.field("current", integer: replay.current)
            }
        }
    }

    private func features() -> APIResponse {
        let engine = services.engine.options
        return .success { writer in
            writer.object { writer in
                writer.key("api")
                writer.object { writer in
                    writer.field("admin", boolean: services.admin != nil)
                    writer.field("lifecycle", boolean: services.options.enablesLifecycle)
                    writer.field("remote_write_receiver", boolean: services.writeReceiver != nil)
                }
                writer.key("promql")
                writer.object { writer in
                    writer.field("delayed_name_removal", boolean: engine.enablesDelayedNameRemoval)
                    writer.field("experimental_functions", boolean: engine.enablesExperimentalFunctions)
                    writer.field("extended_range_selectors", boolean: engine.enablesExtendedRangeSelectors)
                    writer.field("type_and_unit_labels", boolean: engine.enablesTypeAndUnitLabels)
                }
            }
        }
    }
}

extension JSONWriter {
    /// Times where they are known, ms.
    fileprivate mutating func damages(_ damages: [StorageDamage]) {
        key("damages")
        array(of: damages) { writer, damage in
            writer.object { writer in
                writer.field("file", damage.file)
                writer.field("reason", damage.reason)
                if let after = damage.after { writer.field("minTime", integer: after) }
                if let before = damage.before { writer.field("maxTime", integer: before) }
            }
        }
    }

    fileprivate mutating func rows(_ name: StaticString, _ rows: [Cardinality.Row]) {
        key(name)
        array(of: rows) { writer, row in
            writer.object { writer in
                writer.field("name", row.name)
                writer.field("value", integer: row.value)
            }
        }
    }
}
