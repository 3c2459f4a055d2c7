import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// What of the store does not work now. Whoever does a thing says here how it ended: a problem begins with the first
/// failure and goes with the first success. Both are logged once, however often the thing is tried in between.
final class HealthRegister: Sendable {
    private let clock: any WallClock
    private let logger: Logger
    private let isHealthy: Gauge
    private let gauges: [StorageProblem.Kind: Gauge]
    private let state = Mutex<[StorageProblem.Kind: StorageProblem]>([:])
    /// How many there are: where there is none, who succeeds looks no further.
    private let count = Atomic(0)

    init(_ options: TSDBOptions) {
        clock = options.clock
        logger = options.logger
        isHealthy = options.metrics.gauge(
            "hearth_tsdb_healthy", "1 while all of the store works, 0 while something does not.")
        isHealthy.set(1)
        gauges = Dictionary(
            uniqueKeysWithValues: StorageProblem.Kind.allCases.map { kind in
                let gauge = options.metrics.gauge(
                    "hearth_tsdb_problem", "1 while this does not work: see the log and /api/v1/notifications.",
                    [("kind", kind.rawValue)])
                gauge.set(0)
                return (kind, gauge)
            })
    }

    /// The oldest first.
    var problems: [StorageProblem] {
        state.withLock { $0.values.sorted { ($0.since, $0.kind.rawValue) < ($1.since, $1.kind.rawValue) } }
    }

    func has(_ kind: StorageProblem.Kind) -> Bool { state.withLock { $0[kind] != nil } }

    /// It failed. - Parameter text: a sentence for people; that of the newest failure is shown.
    func raise(_ kind: StorageProblem.Kind, _ text: String) {
        let isNew = state.withLock { problems in
            let since = problems[kind]?.since
            problems[kind] = StorageProblem(kind: kind, text: text, since: since ?? clock.now())
            publish(kind, 1, problems.count)
            return since == nil
        }
        if isNew { logger.error("\(text)", metadata: ["problem": "\(kind.rawValue)"]) }
    }

    /// As `raise`, with what was thrown. A store that is being closed is not broken.
    func raise(_ kind: StorageProblem.Kind, _ text: String, _ error: any Error) {
        if error as? StorageError == .closed { return }
        raise(kind, "\(text): \(error)")
    }

    /// It worked. Costs next to nothing where everything did.
    func clear(_ kind: StorageProblem.Kind) {
        if count.load(ordering: .relaxed) == 0 { return }
        let ended = state.withLock { problems -> Bool in
            guard problems.removeValue(forKey: kind) != nil else { return false }
            publish(kind, 0, problems.count)
            return true
        }
        if ended { logger.info("works again", metadata: ["problem": "\(kind.rawValue)"]) }
    }

    private func publish(_ kind: StorageProblem.Kind, _ value: Double, _ count: Int) {
        gauges[kind]?.set(value)
        self.count.store(count, ordering: .relaxed)
        isHealthy.set(count == 0 ? 1 : 0)
    }
}
