import Logging
import OwnThreads

/// Lines on their way into log files: a thread of its own writes them, so that whoever adds one never waits for a disk.
/// Where the disk does not keep up they are dropped, and that is told.
final class LineLog<Line: Sendable, Files: Sendable>: Sendable {
    private struct State {
        var isEnabled = false
        var isWriting = false
        var isClosed = false
        var hasThread = false
        var pending: [Work] = []
        /// Of the lines that wait, as whoever added them says.
        var pendingBytes = 0
        /// Since the last write.
        var droppedCount = 0
    }

    private enum Work: Sendable {
        case line(Line)
        /// Lines go there from now on; nowhere for nil.
        case files(Files?)
    }

    private let name: String
    private let countMax: Int
    private let bytesMax: Int
    private let state = Monitor(State())
    private let logger: Logger
    private let write: @Sendable ([Line], Files) -> Void

    /// - Parameters:
    ///   - name: of the thread.
    ///   - countMax: of lines that wait.
    ///   - bytesMax: of lines that wait.
    ///   - write: appends lines; it deals with its failures. On the thread.
    init(
        name: String, countMax: Int = 4096, bytesMax: Int = 32 << 20, logger: Logger,
        write: @escaping @Sendable ([Line], Files) -> Void
    ) {
        self.name = name
        self.countMax = countMax
        self.bytesMax = bytesMax
        self.logger = logger
        self.write = write
    }

    /// Lines go to these files from now on; those that wait still go to the ones before.
    /// - Returns: false where there is no thread to write them.
    @discardableResult
    func use(_ files: Files?) -> Bool {
        let mustStart = state.change { state in
            guard !state.isClosed else { return false }
            state.isEnabled = files != nil
            guard files != nil || state.hasThread else { return false }
            state.pending.append(.files(files))
            defer { state.hasThread = true }
            return !state.hasThread
        }
        return mustStart ? start() : true
    }

    private func start() -> Bool {
        do throws(SystemThread.Failure) {
            try SystemThread.start(name, nice: 10) { [self] in run() }
            return true
        } catch {
            logger.error("A log has no thread", metadata: ["log": "\(name)", "err": "\(error)"])
            state.change { $0 = State(isClosed: $0.isClosed) }
            return false
        }
    }

    /// Returns at once.
    /// - Returns: false where the line was dropped, as too many wait.
    @discardableResult
    func add(_ line: Line, bytes: Int = 0) -> Bool {
        state.change { state in
            guard state.isEnabled, !state.isClosed else { return true }
            guard state.pending.count < countMax, state.pendingBytes + bytes <= bytesMax else {
                state.droppedCount += 1
                return false
            }
            state.pending.append(.line(line))
            state.pendingBytes += bytes
            return true
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
        var files: Files?
        while let (work, droppedCount) = nextWork() {
            if droppedCount > 0 {
                logger.warning("Lines of a log were dropped", metadata: ["log": "\(name)", "count": "\(droppedCount)"])
            }
            var lines: [Line] = []
            for item in work {
                switch item {
                case .line(let line): lines.append(line)
                case .files(let next):
                    if let files, !lines.isEmpty { write(lines, files) }
                    lines = []
                    files = next
                }
            }
            if let files, !lines.isEmpty { write(lines, files) }
            state.change { $0.isWriting = false }
        }
    }

    /// Waits for something to do; nil at the end.
    private func nextWork() -> ([Work], droppedCount: Int)? {
        state.wait { state -> ([Work], droppedCount: Int)?? in
            if state.pending.isEmpty { return state.isClosed ? .some(nil) : nil }
            defer {
                state.pending = []
                state.pendingBytes = 0
                state.droppedCount = 0
                state.isWriting = true
            }
            return .some((state.pending, state.droppedCount))
        }
    }
}
