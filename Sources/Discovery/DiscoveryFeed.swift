import SeriesModel
import Synchronization

/// What one discoverer knows at the moment, between it and all who use it. Groups are told apart by their source.
package final class DiscoveryFeed: Sendable {
    private struct State {
        var groups: [String: TargetGroup] = [:]
        /// Grows with each change; 0 until the discoverer has told anything.
        var version = 0
        var nextListener = 0
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        /// The jobs that use this source.
        var configs: Set<String> = []
    }

    private let state = Mutex(State())
    private let mechanism: String
    private let metrics: DiscoveryMetrics

    init(mechanism: String, metrics: DiscoveryMetrics) {
        self.mechanism = mechanism
        self.metrics = metrics
    }

    // MARK: - From the discoverer

    /// Puts groups in the place of those with the same source; one without targets removes it.
    package func update(_ groups: [TargetGroup]) {
        change { known in
            var hasChanged = false
            for group in groups {
                let next = group.targets.isEmpty ? nil : group
                if known[group.source] == next { continue }
                known[group.source] = next
                hasChanged = true
            }
            return hasChanged
        }
    }

    /// Makes the groups all there are.
    package func replace(with groups: [TargetGroup]) {
        change { known in
            var next: [String: TargetGroup] = [:]
            for group in groups where !group.targets.isEmpty { next[group.source] = group }
            defer { known = next }
            return known != next
        }
    }

    /// - Parameter body: says whether it has changed anything.
    private func change(_ body: (inout [String: TargetGroup]) -> Bool) {
        metrics.updateReceived()
        let listeners = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            guard body(&state.groups) || state.version == 0 else { return [] }
            state.version += 1
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield() }
    }

    func refreshFailed(_ error: DiscoveryError) {
        metrics.refreshFailed(mechanism, configs: state.withLock { $0.configs }, error)
    }

    func refreshed(in duration: Duration) {
        metrics.refreshed(mechanism, configs: state.withLock { $0.configs }, in: duration)
    }

    // MARK: - To the users

    func setConfigs(_ configs: Set<String>) { state.withLock { $0.configs = configs } }

    /// Grows with each change; 0 until anything is known.
    var version: Int { state.withLock { $0.version } }

    /// In the order of their sources.
    package var groups: [TargetGroup] {
        state.withLock { $0.groups }.values.sorted { $0.source.precedesByBytes($1.source) }
    }

    /// Signals each change to the listener, and at once where something is known already.
    func listen(_ listener: AsyncStream<Void>.Continuation) -> Int {
        let (identifier, isKnown) = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = listener
            return (state.nextListener, state.version > 0)
        }
        if isKnown { listener.yield() }
        return identifier
    }

    func stopListening(_ identifier: Int) { state.withLock { _ = $0.listeners.removeValue(forKey: identifier) } }
}
