import CPosixShim
import Glibc
import OwnThreads
import Synchronization

/// The thread that waits for all sockets of a client, reads what comes, and ends what lasts too long.
///
/// Who sends a request does not wake it: it is told by the socket, and looks at deadlines by itself, at least twice a
/// second while there are requests. It never decompresses a whole body, resolves a name or waits for a lock for long.
final class EventThread: Sendable {
    struct State {
        var table = ConnectionTable()
        var cancelled: [(PlainConnection, number: UInt64)] = []
        var isShutDown = false
        /// Whether the descriptors are closed.
        var hasEnded = false
        var endWaiters: [CheckedContinuation<Void, Never>] = []
        /// Until when the thread waits unless a socket is ready; the least while it does not wait. ns
        var sleepsUntil = Int64.min
        var lastRequest = Int64.min
    }

    static let wakeToken = UInt64.max

    let poll: Int32
    let wakeUp: Int32
    let state = Mutex(State())
    /// Ends what else has deadlines; gives the next one. ns
    let expireOthers: @Sendable (_ now: Int64) -> Int64

    /// Starts the thread, which runs until `stop`.
    /// - Parameter expireOthers: is called when a deadline that was given to `note` is over.
    init(expireOthers: @escaping @Sendable (_ now: Int64) -> Int64) throws(PlainFault) {
        self.expireOthers = expireOthers
        let poll = hearth_poll_open()
        guard poll >= 0 else { throw .system(code: -poll) }
        let wakeUp = hearth_wake_open()
        guard wakeUp >= 0 else {
            close(poll)
            throw .system(code: -wakeUp)
        }
        self.poll = poll
        self.wakeUp = wakeUp
        var code = hearth_poll_add(poll, wakeUp, EventThread.wakeToken, HEARTH_POLL_READABLE)
        if code == 0 {
            do throws(SystemThread.Failure) {
                try SystemThread.start("http client") { [self] in run() }
            } catch { code = error.code }
        }
        guard code == 0 else {
            close(poll)
            close(wakeUp)
            throw .system(code: code)
        }
    }

    // MARK: From any thread

    /// A kept connection; nil where there is none.
    func takeIdle(_ destination: Destination, deadline: Int64, now: Int64) -> (PlainConnection, number: UInt64)? {
        state.withLock { state in
            guard !state.isShutDown, let found = state.table.takeIdle(destination, deadline: deadline) else {
                return nil
            }
            noteRequest(&state, deadline, now)
            return found
        }
    }

    /// A new connection over a socket; nil, and the socket is closed, when the thread ends.
    func add(
        _ socket: Int32, isConnected: Bool, to destination: Destination, at address: SocketAddress, deadline: Int64,
        now: Int64
    ) -> (PlainConnection, number: UInt64)? {
        state.withLock { state in
            guard !state.isShutDown else {
                close(socket)
                return nil
            }
            let made = state.table.add(deadline: deadline) { token in
                PlainConnection(
                    to: destination, at: address, socket: socket, isConnected: isConnected, poll: poll, token: token)
            }
            noteRequest(&state, deadline, now)
            return made
        }
    }

    /// Something else has a deadline.
    func note(_ deadline: Int64, now: Int64) {
        state.withLock { state in
            state.table.note(deadline)
            noteRequest(&state, deadline, now)
        }
    }

    private func noteRequest(_ state: inout State, _ deadline: Int64, _ now: Int64) {
        state.lastRequest = now
        if deadline < state.sleepsUntil { wake(&state) }
    }

    /// Ends an exchange soon, if it is still under way.
    func cancel(_ connection: PlainConnection, _ number: UInt64) {
        state.withLock { state in
            guard !state.isShutDown else { return }
            state.cancelled.append((connection, number))
            wake(&state)
        }
    }

    /// Does what an outcome asks for, and answers who waits.
    func settle(_ connection: PlainConnection, _ outcome: PlainConnection.Outcome) {
        switch outcome {
        case .goesOn, .begun: break
        case .free(let answer):
            let now = MonotonicClock.now
            let isKept = state.withLock { !$0.isShutDown && $0.table.keep(connection, now: now) }
            if !isKept { settle(connection, connection.end()) }
            // Only now: the next request of whoever waits shall find the connection.
            answer.deliver()
        case .closed(let answer):
            state.withLock { $0.table.remove(connection) }
            answer?.deliver()
        }
    }

    /// Closes the connections that wait for another request.
    func closeIdle() {
        for connection in state.withLock({ $0.table.takeIdle() }) { settle(connection, connection.end()) }
    }

    var connectionCount: Int { state.withLock { $0.table.count } }

    /// Ends all exchanges and the thread.
    func stop() {
        state.withLock { state in
            state.isShutDown = true
            wake(&state)
        }
    }

    /// Returns when all is closed.
    func waitUntilEnded() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.endWaiters.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Under the lock, so that the descriptor is open.
    private func wake(_ state: inout State) {
        guard !state.hasEnded else { return }
        state.sleepsUntil = .min
        var one: UInt64 = 1
        _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }
}
