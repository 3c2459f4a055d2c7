import BackendSeries
import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// What it costs to take samples in: parsing the text format, appending to the store, and the write-ahead log, on the
/// real disk. Each target is scraped every 15 s of injected time; a batch is one scrape, its series known by reference.
///
/// CPU is that of the whole process, committer and sync thread included.
@main
struct IngestBenchmark {
    private static let targetCount = 100
    private static let scrapes = 60

    static func main() async throws {
        let directory = try temporaryDirectory()
        defer { try? PosixFileSystem().remove(directory) }
        let clock = ManualClock(now: 1_767_225_600_000)
        var options = TSDBOptions(
            directory: directory, logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() },
            metrics: MetricsRegistry())
        options.clock = clock
        let store = try TSDB.open(options)
        var targets = (0..<targetCount).map { BenchmarkTarget($0) }
        let seriesCount = targets.reduce(0) { $0 + $1.seriesCount }
        let bytes = targets.reduce(0) { $0 + $1.bodies[0].count }
        print("\(targetCount) targets, \(seriesCount) series, \(bytes / seriesCount) bytes a line, \(scrapes) scrapes")
        print("wall: M samples per second; CPU: seconds per million samples, all threads")
        var meter = Meter()
        for index in targets.indices { try await targets[index].scrape(0, into: store, at: clock.now()) }
        meter.report("first scrape: labels, new series, log", samples: seriesCount)
        for (name, parses) in [("steady: parse + append + log", true), ("steady: append + log alone", false)] {
            meter = Meter()
            for scrape in 1...scrapes {
                clock.advance(by: 15_000)
                for index in targets.indices {
                    if parses {
                        try await targets[index].scrape(scrape, into: store, at: clock.now())
                    } else {
                        try await targets[index].append(scrape, to: store, at: clock.now())
                    }
                }
            }
            meter.report(name, samples: seriesCount * scrapes)
        }
        store.close()
        meter = Meter()
        let again = try TSDB.open(options)
        meter.report("open: replay of the log", samples: seriesCount * (2 * scrapes + 1))
        again.close()
    }

    private static func temporaryDirectory() throws -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = FilePath.join(parent, "hearth-ingest-\(getpid())")
        try PosixFileSystem().createDirectory(path)
        return path
    }
}
