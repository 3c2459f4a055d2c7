import Logging
package import OutboundHTTP
package import SelfMetrics
package import SeriesModel
import Synchronization

/// All discoverers of one user of service discovery: the scrape jobs, or the Alertmanagers. Entries that are equal share
/// one discoverer, and a discoverer whose entry is in the next configuration too goes on untouched.
package final class DiscoveryManager: Sendable {
    private struct Provider {
        let feed: DiscoveryFeed
        let task: Task<Void, Never>
    }

    private struct State {
        var providers: [DiscoverySection.Entry: Provider] = [:]
        /// By configuration, the kinds it uses.
        var configs: [String: Set<String>] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    private let context: DiscoveryContext
    private let metrics: DiscoveryMetrics

    /// - Parameter name: who uses it, in metrics: `scrape` or `notify`.
    package init(
        name: String, transport: any HTTPTransport, clock: any WallClock, registry: MetricsRegistry,
        userAgent: String = "Prometheus/3.14.0"
    ) {
        let logger = Logger(label: "discovery")
        context = DiscoveryContext(
            transport: transport, clock: clock, registry: registry, logger: logger, userAgent: userAgent)
        metrics = DiscoveryMetrics(registry: registry, name: name, logger: logger)
    }

    /// Makes the configurations all there are: discoverers that none of them names are ended, new ones begin.
    package func apply(_ configs: [(name: String, section: DiscoverySection)]) {
        var users: [DiscoverySection.Entry: Set<String>] = [:]
        var mechanisms: [String: Set<String>] = [:]
        for (name, section) in configs {
            mechanisms[name, default: []].formUnion(section.entries.map(\.mechanism))
            for entry in section.entries { users[entry, default: []].insert(name) }
        }
        let ended = state.withLock { state -> [Provider] in
            guard !state.isStopped else { return [] }
            let ended = state.providers.filter { users[$0.key] == nil }
            for (entry, provider) in ended {
                state.providers[entry] = nil
                // What fails while it ends is nobody's.
                provider.feed.setConfigs([])
            }
            for (name, old) in state.configs {
                metrics.forget(name, mechanisms: old.subtracting(mechanisms[name] ?? []))
                if mechanisms[name] == nil { metrics.forget(name) }
            }
            state.configs = mechanisms
            for (name, kinds) in mechanisms { metrics.configure(name, mechanisms: kinds) }
            for (entry, names) in users { use(entry, configs: names, in: &state) }
            return Array(ended.values)
        }
        for provider in ended { provider.task.cancel() }
    }

    /// Makes the discoverer of an entry where there is none.
    private func use(_ entry: DiscoverySection.Entry, configs: Set<String>, in state: inout State) {
        if let provider = state.providers[entry] {
            provider.feed.setConfigs(configs)
            return
        }
        let feed = DiscoveryFeed(mechanism: entry.mechanism, metrics: metrics)
        // Before it runs: its first failure counts.
        feed.setConfigs(configs)
        let context = self.context
        let task = Task(executorPreference: entry.kind.threads(context)) {
            await entry.kind.discoverer(context).run(feed)
        }
        state.providers[entry] = Provider(feed: feed, task: task)
    }

    /// The feeds of a section's entries, as far as the configurations applied name them. Nobody else begins a
    /// discoverer: one that no configuration names would go on for ever.
    private func feeds(of section: DiscoverySection) -> [DiscoveryFeed] {
        state.withLock { state in section.entries.compactMap { state.providers[$0]?.feed } }
    }

    /// Delivers **all** groups of a section: those that the configuration itself names at once, then everything
    /// whenever something has changed, but not more often than the pace allows. Returns when the task is cancelled, or
    /// when nothing can change any more. Entries that the configurations applied do not name find nothing: the section
    /// is an old one, and its user about to be ended.
    /// - Parameter config: the name under which the targets are counted.
    package func run(
        _ section: DiscoverySection, config: String, _ deliver: @Sendable ([TargetGroup]) async -> Void
    ) async {
        if Task.isCancelled { return }
        let feeds = feeds(of: section)
        func send() async {
            let groups = section.staticGroups + feeds.flatMap(\.groups)
            metrics.updateSent(at: context.clock.now())
            metrics.discovered(config, targets: groups.reduce(0) { $0 + $1.targets.count })
            await deliver(groups)
        }
        if !section.staticGroups.isEmpty {
            metrics.updateReceived()
            await send()
        }
        guard !feeds.isEmpty else { return }
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let listeners = feeds.map { ($0, $0.listen(signal)) }
        defer { for (feed, listener) in listeners { feed.stopListening(listener) } }
        var pace = UpdatePace()
        var sentVersion = 0
        for await _ in signals {
            guard feeds.reduce(0, { $0 + $1.version }) != sentVersion else { continue }
            let wait = pace.wait(now: context.clock.now())
            if wait > 0 {
                metrics.updateDelayed()
                do { try await context.clock.sleep(milliseconds: wait) } catch { return }
            }
            sentVersion = feeds.reduce(0) { $0 + $1.version }
            await send()
            pace.sent(now: context.clock.now())
        }
    }

    /// All groups of a section as they are known now.
    package func groups(of section: DiscoverySection) -> [TargetGroup] {
        let feeds = feeds(of: section)
        return section.staticGroups + feeds.flatMap(\.groups)
    }

    /// How long the end waits for discoverers: one may hang in a file system that does not answer. ms
    static let stopWaitMax: Int64 = 5000

    /// Ends all discoverers and returns when they have ended, or after five seconds.
    package func stop() async {
        let providers = state.withLock { state in
            state.isStopped = true
            let all = Array(state.providers.values)
            state.providers = [:]
            return all
        }
        for provider in providers { provider.task.cancel() }
        // Not a task group: that would wait for the one that hangs, too.
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        let clock = context.clock
        Task {
            for provider in providers { await provider.task.value }
            signal.finish()
        }
        let limit = Task {
            try? await clock.sleep(milliseconds: DiscoveryManager.stopWaitMax)
            signal.finish()
        }
        for await _ in signals {}
        limit.cancel()
        context.fileWatcher.stop()
    }
}

/// How often updates go out: the first at once, then further and further apart while they keep coming, up to the five
/// seconds that upstream waits.
struct UpdatePace {
    static let gapMin: Int64 = 250
    static let gapMax: Int64 = 5000
    private var gap: Int64 = 0
    private var last = Timestamp.min

    /// How long an update must wait. ms
    func wait(now: Timestamp) -> Int64 {
        guard gap > 0 else { return 0 }
        // Never longer than the gap: the clock may have been set back.
        return min(max(0, gap - now.subtractingClamped(last)), gap)
    }

    mutating func sent(now: Timestamp) {
        let isQuiet = gap == 0 || now.subtractingClamped(last) > 2 * UpdatePace.gapMax
        gap = isQuiet ? UpdatePace.gapMin : min(2 * gap, UpdatePace.gapMax)
        last = now
    }
}
