import HTTPAPI
import Logging
import PromQLEngine
import Rules
import Scrape
import SelfMetrics
import SeriesModel
import StorageAPI

/// A server on a free port of loopback, over a store in memory.
struct TestServer: Sendable {
    let client: LoopbackClient
    let registry: MetricsRegistry

    /// 2023-11-14T22:13:20Z, the middle of the stored samples.
    static let now: Timestamp = 1_700_000_000_000

    /// One that runs as long as the process, for tests that change nothing.
    static var shared: TestServer {
        get async throws { try await sharedStart.value }
    }

    private static let sharedStart = Task {
        let (_, server) = try await start(storage: nil, on: [.anyPort]) { _ in }
        return server
    }

    static func run<Result>(
        storage: (any Queryable)? = nil, addresses: [ListenAddress] = [.anyPort],
        stopWithin grace: Duration = .seconds(5), _ configure: (inout APIServices) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let (api, server) = try await start(storage: storage, on: addresses, configure)
        do {
            let result = try await body(server)
            await api.stop(within: grace)
            return result
        } catch {
            await api.stop(within: grace)
            throw error
        }
    }

    private static func start(
        storage: (any Queryable)?, on addresses: [ListenAddress], _ configure: (inout APIServices) -> Void
    ) async throws -> (APIServer, TestServer) {
        let registry = MetricsRegistry()
        let storage = storage ?? sampleStore()
        var services = APIServices(
            engine: QueryEngine(storage: storage, options: EngineOptions(), metrics: registry), storage: storage,
            storageStatus: FixedStorageStatus(), registry: registry, clock: ManualClock(now: now),
            build: BuildInfo(goVersion: "swift6.3", hearthVersion: "0.1.0"),
            flags: ["config.file": "prometheus.yml", "storage.tsdb.path": "data/"])
        configure(&services)
        let server = APIServer(services, routes: APIRoutes(services).all, logger: logger)
        let bound = try await server.start(on: addresses)
        return (server, TestServer(client: LoopbackClient(port: bound[0].port), registry: registry))
    }

    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }()

    /// An hour around `now`, a sample every 15 s.
    static func sampleStore() -> ListStore {
        var store = ListStore()
        let series: [LabelSet] = [
            ["__name__": "up", "job": "a", "instance": "one:80"],
            ["__name__": "up", "job": "b", "instance": "two:80"],
            ["__name__": "http_requests_total", "job": "a", "handler": "/\"quoted\"\n"],
            ["__name__": "x_bucket", "job": "a", "le": "1"],
            ["__name__": "x_bucket", "job": "a", "le": "+Inf"],
            ["__name__": "http.server.duration", "service.name": "a"],
            ["__name__": "prometheus_build_info", "version": "3.14.0", "job": "hearth"],
            ["__name__": "ALERTS", "alertname": "Down", "alertstate": "firing"],
        ]
        for (index, labels) in series.enumerated() {
            var samples = SampleBuffer()
            for step in -120...240 {
                let isCounter = labels.metricName?.hasSuffix("_total") == true
                samples.append(now + Int64(step) * 15_000, isCounter ? Double(step + 120) : Double(index % 2))
            }
            store.add(labels, samples)
        }
        return store
    }
}

struct FixedStorageStatus: StorageStatus {
    var compactionDescription: String? { "merging 3 blocks (ladder), 40 %" }

    var damages: [StorageDamage] {
        [StorageDamage(file: "wal/7", reason: "torn", after: 5), StorageDamage(file: "a", reason: "b")]
    }

    var problems: [StorageProblem] {
        [StorageProblem(kind: .logWrite, text: "Samples are refused: \"disk\"", since: TestServer.now)]
    }

    func headStatistics() -> HeadStatistics {
        var statistics = HeadStatistics()
        statistics.seriesCount = 8
        statistics.range = TimeRange(min: 1, max: 2)
        return statistics
    }

    func cardinality(limit: Int) -> Cardinality {
        var cardinality = Cardinality()
        cardinality.seriesCountByMetricName = [.init(name: "up", value: 2)].prefix(limit).map { $0 }
        return cardinality
    }

    var retentionDescription: String { "30d or 10GiB" }
    var corruptionCount: Int { 0 }
}

extension ListenAddress {
    static let anyPort = ListenAddress(host: "127.0.0.1", port: 0)
}
