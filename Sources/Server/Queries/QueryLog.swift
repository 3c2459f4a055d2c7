import FileIO
import Logging
import PromQLEngine
import SelfMetrics
import SeriesModel
import Synchronization

/// The query log: one line for each query that is over. Where the disk does not keep up, or fails, lines are dropped and
/// counted, and queries go on.
final class QueryLog: Sendable {
    /// A log file that is open.
    struct OpenFile: Sendable {
        fileprivate let file: any AppendableFile
    }

    private struct Line: Sendable {
        let record: QueryRecord
        let time: Timestamp
    }

    private let lines: LineLog<Line, OpenFile>
    private let clock: any WallClock
    private let metrics: QueryLogMetrics
    private let files: any FileSystem

    /// - Parameter pendingBytesMax: of the texts of queries that wait: one is megabytes at worst.
    init(
        clock: any WallClock, registry: MetricsRegistry, logger: Logger, files: any FileSystem = PosixFileSystem(),
        pendingBytesMax: Int = 32 << 20
    ) {
        self.clock = clock
        self.files = files
        let metrics = QueryLogMetrics(registry)
        self.metrics = metrics
        let isFailing = Mutex(false)
        lines = LineLog(name: "query log", bytesMax: pendingBytesMax, logger: logger) { lines, open in
            do throws(FileError) {
                try open.file.append(lines.flatMap { QueryLogLine.bytes($0.record, at: $0.time) })
                isFailing.withLock { $0 = false }
            } catch {
                metrics.failures.increment(by: Double(lines.count))
                // A full disk is told of once, not for each query.
                let isNews = isFailing.withLock { isFailing in
                    defer { isFailing = true }
                    return !isFailing
                }
                if isNews { logger.error("can't log query", metadata: ["err": "\(error)"]) }
            }
        }
    }

    /// Opens a file for `use`, at its end. - Parameter path: "" gives nil: no log.
    func open(_ path: String) throws(FileError) -> OpenFile? {
        if path.isEmpty { return nil }
        return OpenFile(file: files.exists(path) ? try files.openForAppending(path) : try files.create(path))
    }

    /// Lines go to this file from now on. Lines that wait still go to the one before.
    func use(_ file: OpenFile?) { metrics.enabled.set(lines.use(file) && file != nil ? 1 : 0) }

    /// Returns at once.
    func add(_ record: QueryRecord) {
        let line = Line(record: record, time: clock.now())
        if !lines.add(line, bytes: record.text.utf8.count) { metrics.failures.increment() }
    }

    /// Waits until everything is written that is there now, but no longer than so long.
    func flush(milliseconds: Int64 = 5000) { lines.flush(milliseconds: milliseconds) }

    /// Writes what waits, and ends.
    func close() {
        lines.close()
        metrics.enabled.set(0)
    }
}
