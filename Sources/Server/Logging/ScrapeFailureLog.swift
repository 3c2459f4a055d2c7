import FileIO
import HTTPAPI
import Logging
import OwnThreads
import Scrape
import SeriesModel

/// The files of `scrape_failure_log_file`: a line of JSON for each failed scrape, as Prometheus' `slog` writes it. Jobs
/// that name the same file share it. Lines are written by a thread of its own; where the disk does not keep up they are
/// dropped, and scraping goes on.
final class ScrapeFailureLog: ScrapeFailureSink {
    /// Log files that are open, by path.
    struct OpenFiles: Sendable {
        fileprivate var files: [String: any AppendableFile] = [:]
    }

    private struct State {
        var paths: Set<String> = []
        var pending: [Work] = []
        var isWriting = false
        var isClosed = false
        var hasThread = false
        var droppedCount = 0
    }

    private enum Work: Sendable {
        case line(FailedScrape)
        /// Lines go to these from now on.
        case files(OpenFiles)
    }

    private static let pendingCountMax = 4096
    private let state = Monitor(State())
    private let logger: Logger
    private let files: any FileSystem

    init(logger: Logger, files: any FileSystem = PosixFileSystem()) {
        self.logger = logger
        self.files = files
    }

    /// Opens files for `use`, at their ends.
    func open(_ paths: Set<String>) throws(FileError) -> OpenFiles {
        var open = OpenFiles()
        for path in paths.sorted() {
            open.files[path] = files.exists(path) ? try files.openForAppending(path) : try files.create(path)
        }
        return open
    }

    /// Lines go to these files from now on; they are opened anew at each reload, so that they can be moved away.
    func use(_ open: OpenFiles) {
        let mustStart = state.change { state in
            state.paths = Set(open.files.keys)
            guard !state.isClosed, !open.files.isEmpty || state.hasThread else { return false }
            state.pending.append(.files(open))
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard mustStart else { return }
        do throws(SystemThread.Failure) {
            try SystemThread.start("scrape failures", nice: 10) { [self] in run() }
        } catch {
            logger.error("The scrape failure log has no thread", metadata: ["err": "\(error)"])
            state.change { state in
                state.paths = []
                state.hasThread = false
                state.pending = []
            }
        }
    }

    func scrapeFailed(_ scrape: FailedScrape) {
        state.change { state in
            guard !state.isClosed, state.paths.contains(scrape.file) else { return }
            guard state.pending.count < ScrapeFailureLog.pendingCountMax else {
                state.droppedCount += 1
                return
            }
            state.pending.append(.line(scrape))
        }
    }

    /// Waits until everything is written that is there now, but no longer than so long.
    func flush(milliseconds: Int64 = 5000) {
        _ = state.wait(milliseconds: milliseconds) { $0.pending.isEmpty && !$0.isWriting ? true : nil }
    }

    /// Writes what waits, and ends.
    func close() {
        flush()
        state.change { $0.isClosed = true }
    }

    // MARK: The thread

    private func run() {
        var open = OpenFiles()
        while let (work, droppedCount) = nextWork() {
            if droppedCount > 0 {
                logger.warning("Scrape failures were not logged", metadata: ["count": "\(droppedCount)"])
            }
            var bytes: [String: [UInt8]] = [:]
            for item in work {
                switch item {
                case .line(let scrape): bytes[scrape.file, default: []] += ScrapeFailureLog.line(scrape)
                case .files(let next):
                    write(bytes, to: open)
                    bytes = [:]
                    open = next
                }
            }
            write(bytes, to: open)
            state.change { $0.isWriting = false }
        }
    }

    /// Waits for something to do; nil at the end.
    private func nextWork() -> ([Work], Int)? {
        state.wait { state -> ([Work], Int)?? in
            if state.pending.isEmpty { return state.isClosed ? .some(nil) : nil }
            defer {
                state.pending = []
                state.droppedCount = 0
                state.isWriting = true
            }
            return .some((state.pending, state.droppedCount))
        }
    }

    private func write(_ bytes: [String: [UInt8]], to open: OpenFiles) {
        for (path, lines) in bytes {
            do throws(FileError) {
                try open.files[path]?.append(lines)
            } catch {
                logger.error("Scrape failures cannot be logged", metadata: ["file": "\(path)", "err": "\(error)"])
            }
        }
    }

    /// `ts` is what Prometheus 2 called `time`; programs that read the log ask for either.
    static func line(_ scrape: FailedScrape) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("time", CivilTime(scrape.time).rfc3339Milliseconds)
            writer.field("ts", CivilTime(scrape.time).rfc3339Milliseconds)
            writer.field("level", "ERROR")
            writer.field("msg", scrape.message)
            writer.field("job_name", scrape.job)
            writer.field("target", scrape.target)
        }
        return writer.takeBytes() + [UInt8(ascii: "\n")]
    }
}
