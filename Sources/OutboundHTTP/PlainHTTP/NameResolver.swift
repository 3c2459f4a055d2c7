import OwnThreads

/// Finds the addresses of names. The system's way of asking blocks, for as long as name servers please: it happens on a
/// few threads of its own, which come and go as they are needed, and whoever waits does so no longer than he wants.
final class NameResolver: Sendable {
    typealias Answer = Result<[SocketAddress], PlainFault>

    private struct Waiter {
        let number: UInt64
        let deadline: Int64
        let continuation: CheckedContinuation<Answer, Never>
    }

    private struct State {
        var known: [String: (addresses: [SocketAddress], until: Int64)] = [:]
        /// Names that are asked for, or will be.
        var waiting: [String: [Waiter]] = [:]
        var queue: [String] = []
        var threadCount = 0
        var idleCount = 0
        var lastNumber: UInt64 = 0
        var isShutDown = false
    }

    private static let threadsMax = 16
    private static let namesMax = 10_000
    /// A thread without work ends. ms
    private static let idleTime: Int64 = 20_000
    /// Connections are kept far longer; this only spares asking for each of many targets on a host. ns
    private static let knownTime: Int64 = 5_000_000_000

    private let state = Monitor(State())
    private let lookUp: @Sendable (String) -> Result<[SocketAddress], SocketAddress.LookUpFailure>

    /// - Parameter lookUp: may block.
    init(
        lookUp: @escaping @Sendable (String) -> Result<[SocketAddress], SocketAddress.LookUpFailure> = {
            SocketAddress.lookUp($0, isNumeric: false)
        }
    ) {
        self.lookUp = lookUp
    }

    /// - Parameters:
    ///   - deadline: by which `expire` must be called. ns
    ///   - willWait: called before anybody waits.
    func addresses(of host: String, deadline: Int64, willWait: @Sendable () -> Void) async -> Answer {
        let now = MonotonicClock.now
        let (known, number) = state.withState { state in
            state.lastNumber += 1
            let entry = state.known[host].flatMap { $0.until > now ? $0.addresses : nil }
            return (entry, state.lastNumber)
        }
        if let known { return .success(known) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(host, Waiter(number: number, deadline: deadline, continuation: continuation))
                willWait()
                // The handler may have run before there was anything to end.
                if Task.isCancelled { cancel(host, number) }
            }
        } onCancel: {
            cancel(host, number)
        }
    }

    /// Ends the waits that last too long.
    /// - Returns: when the next one does, the latest time there is without one. ns
    func expire(now: Int64) -> Int64 {
        var expired: [Waiter] = []
        let next = state.withState { state in
            var next = Int64.max
            for (host, waiters) in state.waiting {
                expired += waiters.filter { $0.deadline <= now }
                state.waiting[host] = waiters.filter { $0.deadline > now }
                for waiter in waiters where waiter.deadline > now { next = min(next, waiter.deadline) }
            }
            return next
        }
        for waiter in expired { waiter.continuation.resume(returning: .failure(.deadline(hasHead: false))) }
        return next
    }

    /// Ends all waits; there are no others afterwards.
    func stop() {
        let waiters = state.change { state in
            state.isShutDown = true
            state.queue = []
            defer { state.waiting = [:] }
            return state.waiting.values.flatMap { $0 }
        }
        for waiter in waiters { waiter.continuation.resume(returning: .failure(.cancelled)) }
    }

    private func cancel(_ host: String, _ number: UInt64) {
        let waiter = state.withState { state -> Waiter? in
            guard let index = state.waiting[host]?.firstIndex(where: { $0.number == number }) else { return nil }
            return state.waiting[host]?.remove(at: index)
        }
        waiter?.continuation.resume(returning: .failure(.cancelled))
    }

    private func enqueue(_ host: String, _ waiter: Waiter) {
        enum Step { case wait, startThread, refuse(PlainFault) }
        let step = state.change(wakingOne: true) { state -> Step in
            if state.isShutDown { return .refuse(.cancelled) }
            let isAsked = state.waiting[host] != nil
            guard isAsked || state.waiting.count < NameResolver.namesMax else {
                return .refuse(.lookUp(host: host, reason: "too many names at once"))
            }
            state.waiting[host, default: []].append(waiter)
            if isAsked { return .wait }
            state.queue.append(host)
            guard state.queue.count > state.idleCount, state.threadCount < NameResolver.threadsMax else { return .wait }
            state.threadCount += 1
            return .startThread
        }
        switch step {
        case .wait: break
        case .refuse(let fault): waiter.continuation.resume(returning: .failure(fault))
        case .startThread:
            do throws(SystemThread.Failure) {
                try SystemThread.start("name resolver", stackBytes: 512 << 10) { [self] in work() }
            } catch {
                let isLast = state.withState { state in
                    state.threadCount -= 1
                    if state.threadCount == 0 { state.queue.removeAll { $0 == host } }
                    return state.threadCount == 0
                }
                // Others will come to the name, where there are any.
                if isLast { answer(host, .failure(.system(code: error.code))) }
            }
        }
    }

    private func work() {
        while let host = nextName() {
            let answer: Answer =
                switch lookUp(host) {
                case .success(let addresses): .success(addresses)
                case .failure(let failure): .failure(.lookUp(host: host, reason: failure.reason))
                }
            self.answer(host, answer)
        }
    }

    /// Nil when the thread shall end.
    private func nextName() -> String? {
        state.withState { $0.idleCount += 1 }
        let name = state.wait(milliseconds: NameResolver.idleTime) { state -> String?? in
            if state.isShutDown { return .some(nil) }
            return state.queue.isEmpty ? nil : .some(state.queue.removeFirst())
        }
        return state.withState { state in
            state.idleCount -= 1
            if let name, let name { return name }
            // A name that came just now is not left alone.
            if !state.isShutDown, !state.queue.isEmpty { return state.queue.removeFirst() }
            state.threadCount -= 1
            return nil
        }
    }

    private func answer(_ host: String, _ answer: Answer) {
        let now = MonotonicClock.now
        let waiters = state.withState { state -> [Waiter] in
            if case .success(let addresses) = answer {
                if state.known.count >= NameResolver.namesMax {
                    state.known = state.known.filter { $0.value.until > now }
                }
                if state.known.count < NameResolver.namesMax {
                    state.known[host] = (addresses, now + NameResolver.knownTime)
                }
            }
            return state.waiting.removeValue(forKey: host) ?? []
        }
        for waiter in waiters { waiter.continuation.resume(returning: answer) }
    }
}
