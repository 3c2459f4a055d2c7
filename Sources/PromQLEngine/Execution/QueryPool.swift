import OwnThreads

/// Threads of the engine's own: evaluation never runs on the cooperative pool, where one long query would stop
/// everything that is asynchronous.
///
/// Rules go first, and one thread is theirs alone, so that dashboards cannot hold up an alert. What is left helps
/// queries that can split their work.
final class QueryPool: Sendable {
    enum Kind {
        case rule
        case query
        /// Part of a query that runs already, and would do it alone if nobody came.
        case help
    }

    private struct State {
        let width: Int
        var rules: [@Sendable () -> Void] = []
        var queries: [@Sendable () -> Void] = []
        var helps: [@Sendable () -> Void] = []
        var idle: Int
        var runningQueries = 0

        /// How many queries may run at once: all threads but one.
        var queriesMax: Int { max(1, width - 1) }

        mutating func next() -> (job: @Sendable () -> Void, kind: Kind)? {
            if !rules.isEmpty { return (rules.removeFirst(), .rule) }
            if !queries.isEmpty, runningQueries < queriesMax { return (queries.removeFirst(), .query) }
            if !helps.isEmpty { return (helps.removeFirst(), .help) }
            return nil
        }

        var hasWaiting: Bool { !rules.isEmpty || (!queries.isEmpty && runningQueries < queriesMax) }
    }

    /// Shared with the threads, which live as long as the process.
    private let queue: Monitor<State>
    /// Deep expressions recurse; the parser bounds how deep.
    private static let stackBytes = 16 << 20
    /// Queries give way to what receives and stores.
    private static let nice: Int32 = 5

    /// - Precondition: the system gives at least one thread.
    init(width: Int) {
        let width = max(1, width)
        let queue = Monitor(State(width: width, idle: 0))
        self.queue = queue
        var failure: SystemThread.Failure?
        for _ in 0..<width {
            do throws(SystemThread.Failure) {
                try SystemThread.start("query", nice: QueryPool.nice, stackBytes: QueryPool.stackBytes) {
                    QueryPool.work(queue)
                }
                queue.change { $0.idle += 1 }
            } catch {
                failure = error
            }
        }
        precondition(queue.change { $0.idle > 0 }, "\(failure?.description ?? "no query thread")")
    }

    private static func work(_ queue: Monitor<State>) {
        while true {
            let (job, kind) = queue.wait { state -> (job: @Sendable () -> Void, kind: Kind)? in
                guard let next = state.next() else { return nil }
                state.idle -= 1
                if next.kind == .query { state.runningQueries += 1 }
                return next
            }
            job()
            // This thread looks for the next job itself.
            queue.withState { state in
                state.idle += 1
                if kind == .query { state.runningQueries -= 1 }
            }
        }
    }

    /// - Returns: whether a thread is free to take the job at once.
    @discardableResult
    func submit(_ kind: Kind, _ job: @escaping @Sendable () -> Void) -> Bool {
        queue.change(wakingOne: true) { state in
            let isFree: Bool
            switch kind {
            case .rule:
                isFree = state.idle > state.rules.count
                state.rules.append(job)
            case .query:
                isFree =
                    state.idle > state.rules.count + state.queries.count
                    && state.runningQueries + state.queries.count < state.queriesMax
                state.queries.append(job)
            case .help:
                isFree = state.idle > state.rules.count + state.queries.count + state.helps.count
                state.helps.append(job)
            }
            return isFree
        }
    }

    /// Whether a rule or a query waits for a thread: who only helps gives up its own then.
    var hasWaiting: Bool { queue.withState { $0.hasWaiting } }
}
