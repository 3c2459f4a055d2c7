import CPosixShim
import Glibc
import Synchronization

/// What runs on the thread.
extension EventThread {
    /// What the thread finds to do before it waits.
    private struct Work {
        var expired: [PlainConnection] = []
        var idle: [PlainConnection] = []
        var cancelled: [(PlainConnection, number: UInt64)] = []
        var isShutDown = false
        /// ms; -1 for ever
        var timeout: Int32 = 0
    }

    private static let bufferBytes = 128 << 10
    /// So long the rest of a response has to come before it is asked for. us
    private static let pause: UInt32 = 500
    /// While requests come, deadlines later than this need no waking. ns
    private static let tick: Int64 = 500_000_000
    /// After the last request. ns
    private static let tickTime: Int64 = 20_000_000_000

    func run() {
        let buffer = ReadBuffer(bytes: .allocate(capacity: EventThread.bufferBytes))
        var events = [hearth_poll_event](repeating: hearth_poll_event(), count: 256)
        var ready: [(connection: PlainConnection, readiness: Int32)] = []
        while true {
            let work = findWork()
            for connection in work.idle { settle(connection, connection.end()) }
            for connection in work.expired { expire(connection) }
            for (connection, number) in work.cancelled { settle(connection, connection.cancel(number)) }
            if work.isShutDown { break }
            let count = hearth_poll_wait(poll, &events, Int32(events.count), work.timeout)
            takeReady(events.prefix(max(Int(count), 0)), &ready)
            var hasBegun = false
            for (connection, readiness) in ready {
                let outcome = connection.handle(readiness, buffer)
                if case .begun = outcome { hasBegun = true }
                settle(connection, outcome)
            }
            ready.removeAll(keepingCapacity: true)
            // Servers write a response in many small pieces: being woken for each costs more than reading them.
            if hasBegun { usleep(EventThread.pause) }
        }
        buffer.bytes.deallocate()
        end()
    }

    private func findWork() -> Work {
        let now = MonotonicClock.now
        var work = Work()
        let areOthersDue = state.withLock { state in
            let isDue = now >= state.table.earliestDeadline
            state.table.takeExpired(now: now, exchanges: &work.expired, idle: &work.idle)
            swap(&state.cancelled, &work.cancelled)
            work.isShutDown = state.isShutDown
            return isDue
        }
        if areOthersDue {
            let next = expireOthers(now)
            state.withLock { $0.table.note(next) }
        }
        guard work.expired.isEmpty, work.cancelled.isEmpty, !work.isShutDown else { return work }
        state.withLock { state in
            var time = state.table.earliestDeadline
            if state.lastRequest > now - EventThread.tickTime { time = min(time, now + EventThread.tick) }
            if state.isShutDown || !state.cancelled.isEmpty { time = now }
            state.sleepsUntil = time
            // Rounded up: a little too late is late once, a little too early is early again and again.
            let milliseconds = time == .max ? -1 : max((time - now + 999_999) / 1_000_000, 0)
            work.timeout = Int32(clamping: milliseconds)
        }
        return work
    }

    private func takeReady(
        _ events: ArraySlice<hearth_poll_event>, _ ready: inout [(connection: PlainConnection, readiness: Int32)]
    ) {
        var isWoken = false
        state.withLock { state in
            state.sleepsUntil = .min
            for event in events {
                if event.token == EventThread.wakeToken {
                    isWoken = true
                } else if let connection = state.table.connection(of: event.token) {
                    ready.append((connection, event.readiness))
                }
            }
        }
        guard isWoken else { return }
        var count: UInt64 = 0
        _ = read(wakeUp, &count, MemoryLayout<UInt64>.size)
    }

    private func expire(_ connection: PlainConnection) {
        let (outcome, next) = connection.expire(now: MonotonicClock.now)
        settle(connection, outcome)
        if let next {
            state.withLock { $0.table.setDeadline(next.deadline, of: connection, number: next.number) }
        }
    }

    private func end() {
        for connection in state.withLock({ $0.table.all }) { settle(connection, connection.end()) }
        let waiters = state.withLock { state in
            state.hasEnded = true
            close(poll)
            close(wakeUp)
            defer { state.endWaiters = [] }
            return state.endWaiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
