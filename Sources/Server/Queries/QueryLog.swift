import FileIO
import Logging
import OwnThreads
import PromQLEngine
import SelfMetrics
import SeriesModel

/// The query log: one line for each query that is over. Lines are written by a thread of its own; where the disk does
/// not keep up, or fails, they are dropped and counted, and queries go on.
final class QueryLog: Sendable {
    private struct State {
        var isEnabled = false
        var isWriting = false
        var isClosed = false
        var hasThread = false
        var pending: [Work] = []
        /// Of the texts that wait.
        var pendingBytes = 0
    }

    private enum Work: Sendable {
        case line(QueryRecord, Timestamp)
        /// Lines go there from now on; nowhere for nil.
        case file(OpenFile?)
    }

    /// A log file that is open.
    struct OpenFile: Sendable {
        fileprivate let file: any AppendableFile
    }

    private static let pendingCountMax = 4096
    /// Of texts that wait: one is megabytes at worst.
    private let pendingBytesMax: Int
    private let state = Monitor(State())
    private let clock: any WallClock
    private let metrics: QueryLogMetrics
    private let logger: Logger
    private let files: any FileSystem

    init(
        clock: any WallClock, registry: MetricsRegistry, logger: Logger, files: any FileSystem = PosixFileSystem(),
        pendingBytesMax: Int = 32 << 20
    ) {
        self.pendingBytesMax = pendingBytesMax
        self.clock = clock
        self.logger = logger
        self.files = files
        metrics = QueryLogMetrics(registry)
    }

    // MARK: Configuration

    /// Opens a file for `use`, at its end. - Parameter path: "" gives nil: no log.
    func open(_ path: String) throws(FileError) -> OpenFile? {
        if path.isEmpty { return nil }
        return OpenFile(file: files.exists(path) ? try files.openForAppending(path) : try files.create(path))
    }

    /// Lines go to this file from now on. Lines that wait still go to the one before.
    func use(_ file: OpenFile?) {
        let mustStart = state.change { state in
            guard !state.isClosed else { return false }
            state.isEnabled = file != nil
            guard file != nil || state.hasThread else { return false }
            state.pending.append(.file(file))
            defer { state.hasThread = true }
            return !state.hasThread
        }
        metrics.enabled.set(file == nil ? 0 : 1)
        if mustStart { start() }
    }

    private func start() {
        do throws(SystemThread.Failure) {
            try SystemThread.start("query log", nice: 10) { [self] in run() }
        } catch {
            logger.error("The query log has no thread", metadata: ["err": "\(error)"])
            state.change { state in
                state.isEnabled = false
                state.hasThread = false
                state.pending = []
            }
            metrics.enabled.set(0)
        }
    }

    // MARK: Lines

    /// Returns at once.
    func add(_ record: QueryRecord) {
        let now = clock.now()
        let isDropped = state.change { state in
            guard state.isEnabled, !state.isClosed else { return false }
            let bytes = record.text.utf8.count
            guard state.pending.count < QueryLog.pendingCountMax,
                state.pendingBytes + bytes <= pendingBytesMax
            else { return true }
            state.pending.append(.line(record, now))
            state.pendingBytes += bytes
            return false
        }
        if isDropped { metrics.failures.increment() }
    }

    /// Waits until everything is written that is there now, but no longer than so long.
    func flush(milliseconds: Int64 = 5000) {
        _ = state.wait(milliseconds: milliseconds) { $0.pending.isEmpty && !$0.isWriting ? true : nil }
    }

    /// Writes what waits, and ends.
    func close() {
        flush()
        state.change { $0.isClosed = true }
        metrics.enabled.set(0)
    }

    // MARK: The thread

    private func run() {
        var file: (any AppendableFile)?
        var isFailing = false
        while let work = nextWork() {
            var bytes: [UInt8] = []
            var count = 0
            for item in work {
                switch item {
                case .line(let record, let time):
                    bytes += QueryLogLine.bytes(record, at: time)
                    count += 1
                case .file(let next):
                    write(bytes, count, to: file, &isFailing)
                    (bytes, count) = ([], 0)
                    file = next?.file
                }
            }
            write(bytes, count, to: file, &isFailing)
            state.change { $0.isWriting = false }
        }
    }

    /// Waits for something to do; nil at the end.
    private func nextWork() -> [Work]? {
        state.wait { state -> [Work]?? in
            if state.pending.isEmpty { return state.isClosed ? .some(nil) : nil }
            defer {
                state.pending = []
                state.pendingBytes = 0
                state.isWriting = true
            }
            return .some(state.pending)
        }
    }

    private func write(_ bytes: [UInt8], _ count: Int, to file: (any AppendableFile)?, _ isFailing: inout Bool) {
        guard count > 0, let file else { return }
        do throws(FileError) {
            try file.append(bytes)
            isFailing = false
        } catch {
            metrics.failures.increment(by: Double(count))
            // A full disk is told of once, not for each query.
            if !isFailing { logger.error("can't log query", metadata: ["err": "\(error)"]) }
            isFailing = true
        }
    }
}
