import FileIO
import Logging
import PromQLEngine
import SelfMetrics
import SeriesModel
import StorageAPI
import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// The example queries of the backend's monitoring set-up over 24 h of 5,000 series at 15 s, in the real store (blocks
/// and head), measured inside one process: no HTTP, no JSON.
///
/// Prints the median wall time of each query in ms, over several runs after one warm-up, with the samples it read.
enum InProcessQueries {
    private static let seriesTotal = 5000
    private static let interval: Int64 = 15_000
    private static let day: Int64 = 86_400_000
    private static let runs = 5
    private static let end: Timestamp = 1_800_000_000_000

    private static let queries: [(name: String, text: String)] = [
        ("request rate by handler", "sum by (handler) (rate(http_requests_total[5m]))"),
        (
            "error percentage",
            "sum(rate(http_requests_total{status=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m])) * 100"
        ),
        (
            "P95 latency",
            "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le, handler))"
        ),
        ("WebSocket connections", "sum by (endpoint) (websocket_active_connections)"),
        ("tickets per hour", "sum(rate(ticket_created_total[1h])) * 3600"),
        ("pool utilisation", "(db_pool_checked_out / db_pool_size) * 100"),
        ("count everything", "count({__name__=~\".+\"})"),
    ]

    static func run() async throws {
        let directory = "/tmp/hearth-query-benchmark-\(getpid())"
        defer { try? PosixFileSystem().remove(directory) }
        let registry = MetricsRegistry()
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        let clock = ManualClock(now: end - day)
        var options = TSDBOptions(directory: directory, logger: logger, metrics: registry)
        options.clock = clock
        let store = try TSDB.open(options)
        let began = seconds()
        let samples = try await fill(store, clock)
        print("filled \(samples) samples of \(seriesTotal) series in \(format(seconds() - began)) s")
        let engine = QueryEngine(storage: store, options: EngineOptions(), metrics: registry)
        print("query | instant ms | 1 h at 15 s ms | 24 h at 60 s ms | samples read over 24 h")
        for query in queries {
            let instant = try await median { try await engine.instant(query.text, at: end).statistics.samplesRead }
            let hour = try await median {
                try await engine.range(query.text, from: end - 3_600_000, to: end, step: 15_000).statistics.samplesRead
            }
            let wholeDay = try await median {
                try await engine.range(query.text, from: end - day, to: end, step: 60_000).statistics.samplesRead
            }
            let times = [instant, hour, wholeDay].map { format($0.milliseconds) }.joined(separator: " | ")
            print("\(query.name) | \(times) | \(wholeDay.samples)")
        }
        store.close()
    }

    // MARK: Data

    /// Half of the series are histogram buckets, as a FastAPI backend exports them.
    private static func labels() -> [LabelSet] {
        var all: [LabelSet] = []
        func add(_ name: String, _ labels: [(String, String)]) {
            guard all.count < seriesTotal else { return }
            let common = [(Label.metricName, name), (Label.job, "backend"), (Label.instance, "backend:8000")]
            all.append(LabelSet((common + labels).map { Label($0.0, $0.1) }))
        }
        add("db_pool_size", [])
        add("db_pool_checked_out", [])
        for handler in 0..<200 {
            let handler = ("handler", "/api/v1/resource\(handler)")
            for bound in ["0.1", "0.5", "1.0", "+Inf"] {
                for method in ["GET", "POST", "PUT"] {
                    add("http_request_duration_seconds_bucket", [handler, ("method", method), ("le", bound)])
                }
            }
            for method in ["GET", "POST", "PUT"] {
                for status in ["2xx", "4xx", "5xx"] {
                    add("http_requests_total", [handler, ("method", method), ("status", status)])
                }
            }
            add("websocket_active_connections", [("endpoint", handler.1)])
            add("ticket_created_total", [("category", handler.1)])
        }
        var index = 0
        while all.count < seriesTotal {
            add("node_gauge", [("number", String(index))])
            index += 1
        }
        return all
    }

    private static func fill(_ store: TSDB, _ clock: ManualClock) async throws -> Int {
        let labels = labels()
        var values = [Double](repeating: 0, count: labels.count)
        var refs: [SeriesRef?] = []
        var random: UInt64 = 42
        var count = 0
        for time in stride(from: end - day, through: end, by: Int(interval)) {
            clock.advance(to: time)
            var batch = SampleBatch()
            batch.reserveCapacity(labels.count)
            for index in labels.indices {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                if random >> 63 == 0 { values[index] += Double(random >> 58) }
                if let ref = refs.indices.contains(index) ? refs[index] : nil {
                    batch.append(ref, time, values[index])
                } else {
                    batch.append(labels[index], time, values[index])
                }
            }
            let result = try await store.append(batch)
            if refs.isEmpty { refs = result.refs }
            count += result.accepted
        }
        try store.maintain()
        return count
    }

    // MARK: Measuring

    /// - Parameter body: gives the samples that it read.
    private static func median(
        _ body: @Sendable () async throws -> Int
    ) async throws -> (milliseconds: Double, samples: Int) {
        var samples = try await body()
        var times: [Double] = []
        for _ in 0..<runs {
            let began = seconds()
            samples = try await body()
            times.append((seconds() - began) * 1000)
        }
        return (times.sorted()[runs / 2], samples)
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func format(_ value: Double) -> String { NumberText.fixed(value, digits: 2) }
}
