import Exposition
import SeriesModel
import StorageAPI
import TSDB

/// One target of the benchmark: what it says at each scrape, and what a scrape loop remembers of it.
struct BenchmarkTarget {
    private static let routes = 20
    /// What the target answers, in turn.
    let bodies: [[UInt8]]
    let seriesCount: Int
    private let instance: String
    private var refs: [SeriesRef] = []
    private var lines: [[UInt8]] = []
    private var batch = SampleBatch()

    /// An instrumented web service: counters, and histograms of ten buckets, by route and status.
    init(_ number: Int) {
        instance = "10.0.\(number / 250).\(number % 250):8000"
        bodies = (0..<4).map { BenchmarkTarget.body(scrape: $0, target: number) }
        seriesCount = BenchmarkTarget.routes * (4 * 2 + 13)
        batch.reserveCapacity(seriesCount)
    }

    private static func body(scrape: Int, target: Int) -> [UInt8] {
        var text = ""
        for route in 0..<routes {
            for method in ["GET", "POST"] {
                for status in ["2xx", "3xx", "4xx", "5xx"] {
                    let labels = "handler=\"/api/v1/route\(route)\",method=\"\(method)\",status=\"\(status)\""
                    text += "http_requests_total{\(labels)} \((scrape + 1) * (target + route) * 7)\n"
                }
            }
            let handler = "handler=\"/api/v1/route\(route)\",method=\"GET\""
            for (index, bound) in ["0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"]
                .enumerated()
            {
                let count = (scrape + 1) * (route + 3) * (index + 1)
                text += "http_request_duration_seconds_bucket{\(handler),le=\"\(bound)\"} \(count)\n"
            }
            text += "http_request_duration_seconds_sum{\(handler)} \(Double(scrape + 1) * 0.1237 * Double(route + 1))\n"
            text += "http_request_duration_seconds_count{\(handler)} \((scrape + 1) * (route + 3) * 11)\n"
        }
        return Array(text.utf8)
    }

    /// Reads the next body and appends what it says: lines that are as they were by reference, others by labels.
    mutating func scrape(_ number: Int, into store: TSDB, at time: Timestamp) async throws {
        let known = lines.count
        batch.removeAll()
        let body = bodies[number % bodies.count]
        try body.withUnsafeBytes { bytes in
            var parser = ExpositionParser(bytes, format: .text004)
            for index in 0..<known {
                guard let line = try lines[index].withUnsafeBytes({ try parser.next(expecting: $0) }) else { break }
                batch.append(refs[index], time, line.value)
            }
            while case .series(let line)? = try parser.next() {
                let labels = try parser.labels(of: line.text).setting("instance", instance).setting("job", "api")
                lines.append(Array(bytes[line.text]))
                batch.append(labels, time, line.value)
            }
        }
        let result = try await store.append(batch)
        precondition(result.accepted == batch.count, "\(result.rejected.count) samples were refused")
        refs += result.refs.compactMap { $0 }
    }

    /// Appends without reading a body.
    mutating func append(_ number: Int, to store: TSDB, at time: Timestamp) async throws {
        batch.removeAll()
        for (index, ref) in refs.enumerated() { batch.append(ref, time, Double(number * (index + 1))) }
        let result = try await store.append(batch)
        precondition(result.accepted == batch.count, "\(result.rejected.count) samples were refused")
    }
}
