import HTTPTypes
import PromQLSyntax
import Scrape
import SeriesModel

/// `targets` and what is below it, `scrape_pools`, `metadata`, `alertmanagers`.
extension APIRoutes {
    var targetRoutes: [Route] {
        [
            Route([.get], "/api/v1/targets") { await targets($0) },
            Route([.get], "/api/v1/targets/metadata") { try await targetMetadata($0) },
            Route([.get], "/api/v1/targets/relabel_steps") { try await relabelSteps($0) },
            Route([.post], "/api/v1/targets/probe") { try await probeTarget($0) },
            Route([.get], "/api/v1/scrape_pools") { _ in await scrapePools() },
            Route([.get], "/api/v1/scrape_pools/config") { try await scrapePoolConfiguration($0) },
            Route([.get], "/api/v1/metadata") { try await metadata($0) },
            Route([.get], "/api/v1/alertmanagers") { _ in await alertmanagers() },
        ]
    }

    // MARK: Targets

    private func targets(_ request: APIRequest) async -> APIResponse {
        let pools = await sortedPools()
        let wanted = request.query["scrapePool"]
        let shown = wanted.isEmpty ? pools : pools.filter { $0.name == wanted }
        let state = request.query["state"].lowercased()
        let showsActive = ["", "any", "active"].contains(state)
        let showsDropped = ["", "any", "dropped"].contains(state)
        return .success { writer in
            writer.object { writer in
                writer.key("activeTargets")
                writer.array { writer in
                    guard showsActive else { return }
                    for pool in shown {
                        for target in pool.active { APIRoutes.write(target, pool: pool.name, to: &writer) }
                    }
                }
                writer.key("droppedTargets")
                writer.array { writer in
                    guard showsDropped else { return }
                    for pool in shown {
                        for labels in pool.dropped {
                            writer.object { writer in
                                writer.field("discoveredLabels", labels: labels)
                                writer.field("scrapePool", pool.name)
                            }
                        }
                    }
                }
                writer.key("droppedTargetCounts")
                writer.object { writer in
                    guard showsDropped else { return }
                    // Of all pools, whichever is asked for, as upstream has it.
                    for pool in pools {
                        writer.key(text: pool.name)
                        writer.integer(pool.droppedCount)
                    }
                }
            }
        }
    }

    private func sortedPools() async -> [ScrapePoolStatus] {
        await services.scrapePools().sorted { $0.name.precedesByBytes($1.name) }
    }

    private static func write(_ target: TargetStatus, pool: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("discoveredLabels", labels: target.discoveredLabels)
            writer.field("labels", labels: target.labels)
            writer.field("scrapePool", pool)
            writer.field("scrapeUrl", target.scrapeURL)
            writer.field("globalUrl", target.globalURL)
            writer.field("lastError", target.lastError)
            writer.field("lastScrape", time: target.lastScrape)
            writer.field("lastScrapeDuration", number: target.lastScrapeDuration)
            writer.field("health", target.health.rawValue)
            writer.field("scrapeInterval", DurationText.format(target.scrapeInterval))
            writer.field("scrapeTimeout", DurationText.format(target.scrapeTimeout))
        }
    }

    private func scrapePools() async -> APIResponse {
        let pools = await sortedPools()
        return .success { writer in
            writer.object { $0.field("scrapePools", array: pools.map(\.name)) }
        }
    }

    // MARK: Metadata

    private func targetMetadata(_ request: APIRequest) async throws -> APIResponse {
        let limit = try targetMetadataLimit(request)
        let metric = request.form["metric"]
        var matchers: [LabelMatcher] = []
        if !request.form["match_target"].isEmpty {
            do {
                matchers = try Parser.parseSelector(request.form["match_target"])
            } catch {
                throw APIError(.badData, error.description)
            }
        }
        var found: [TargetMetadata] = []
        for entry in await services.targetMetadata() {
            // The limit ends the list between targets, not within one.
            if found.count >= limit, found.last?.target != entry.target { break }
            guard metric.isEmpty || entry.metric.hasSameBytes(as: metric),
                matchers.allSatisfy({ $0.matches(entry.target) })
            else { continue }
            found.append(entry)
        }
        guard !found.isEmpty else { throw APIError(.notFound, "specified metadata not found") }
        return .success { writer in
            writer.array(of: found) { writer, entry in
                writer.object { writer in
                    writer.field("target", labels: entry.target)
                    if metric.isEmpty { writer.field("metric", entry.metric) }
                    APIRoutes.write(entry.metadata, to: &writer)
                }
            }
        }
    }

    /// Unlike elsewhere 0 is a limit; less than that is none.
    private func targetMetadataLimit(_ request: APIRequest) throws -> Int {
        let text = request.form["limit"]
        if text.isEmpty { return .max }
        guard let limit = Int(text) else { throw APIError(.badData, "limit must be a number") }
        return limit < 0 ? .max : limit
    }

    private func metadata(_ request: APIRequest) async throws -> APIResponse {
        let limit = try count(request, "limit")
        let limitPerMetric = try count(request, "limit_per_metric")
        let metric = request.form["metric"]
        let known = await services.metadata()
        let names = known.keys.filter { metric.isEmpty || $0.hasSameBytes(as: metric) }
            .sorted { $0.precedesByBytes($1) }
        return .success { writer in
            writer.object { writer in
                for name in names.prefix(limit ?? names.count) {
                    writer.key(text: name)
                    let entries = known[name] ?? []
                    writer.array(of: entries.prefix(limitPerMetric ?? entries.count)) { writer, entry in
                        writer.object { APIRoutes.write(entry, to: &$0) }
                    }
                }
            }
        }
    }

    /// A count in a metadata call: nil for none, which 0 and less mean too.
    private func count(_ request: APIRequest, _ name: String) throws -> Int? {
        let text = request.form[name]
        if text.isEmpty { return nil }
        guard let count = Int(text) else { throw APIError(.badData, "\(name) must be a number") }
        return count > 0 ? count : nil
    }

    private static func write(_ metadata: MetricMetadata, to writer: inout JSONWriter) {
        writer.field("type", metadata.kind.rawValue)
        writer.field("help", metadata.help)
        writer.field("unit", metadata.unit)
    }

    // MARK: Alertmanagers

    private func alertmanagers() async -> APIResponse {
        let urls = await services.alertmanagers()
        return .success { writer in
            writer.object { writer in
                for (key, list) in [("activeAlertmanagers", urls.active), ("droppedAlertmanagers", urls.dropped)] {
                    writer.key(text: key)
                    writer.array(of: list) { writer, url in writer.object { $0.field("url", url) } }
                }
            }
        }
    }
}
