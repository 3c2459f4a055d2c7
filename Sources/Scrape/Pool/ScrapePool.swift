import Discovery
import Logging
import SelfMetrics
import SeriesModel

/// One scrape job at work: discovery tells it of targets, and it keeps one loop running for each.
actor ScrapePool {
    nonisolated let config: ScrapeConfig
    private let environment: ScrapeEnvironment
    private let discovery: DiscoveryManager
    private let metrics: JobMetrics
    private let factory: TargetFactory
    private let seed: UInt64
    private var groups: [TargetGroup] = []
    private var loops: [Target.Identity: ScrapeLoop] = [:]
    /// Of targets that are gone; they write their ends in time.
    private var retiring: [ScrapeLoop] = []
    private var dropped: [LabelSet] = []
    private var droppedCount = 0
    private var listener: Task<Void, Never>?
    private var isClosed = false

    init(config: ScrapeConfig, environment: ScrapeEnvironment, discovery: DiscoveryManager, seed: UInt64) {
        self.config = config
        self.environment = environment
        self.discovery = discovery
        self.seed = seed
        factory = TargetFactory(config: config)
        metrics = environment.metrics.job(config.jobName)
        metrics.targetLimit.set(Double(config.limits.targets))
    }

    func start() {
        guard !isClosed else { return }
        listener = Task(executorPreference: environment.threads) { [discovery, config] in
            await discovery.run(config.discovery, config: config.jobName) { groups in await self.update(groups) }
        }
    }

    // MARK: - Targets

    private func update(_ groups: [TargetGroup]) {
        guard !isClosed else { return }
        self.groups = groups
        let start = ContinuousClock.now
        sync()
        metrics.syncs.increment()
        let seconds = start.duration(to: .now).seconds
        metrics.syncLength.observe(seconds)
        metrics.syncLengthHistogram.observe(seconds)
    }

    /// Brings the loops in line with the groups.
    private func sync() {
        let targets = makeTargets()
        for (identity, loop) in loops where targets[identity] == nil {
            loop.retire()
            retiring.append(loop)
            loops[identity] = nil
        }
        for (identity, target) in targets where loops[identity] == nil {
            let loop = ScrapeLoop(
                target: target, config: config, environment: environment, job: metrics, seed: seed)
            loops[identity] = loop
        }
        enforceTargetLimit()
        for identity in targets.keys { loops[identity]?.startIfNeeded() }
        retiring.removeAll { $0.isFinished }
        metrics.targets.set(Double(loops.count))
    }

    private func makeTargets() -> [Target.Identity: Target] {
        var targets: [Target.Identity: Target] = [:]
        dropped = []
        droppedCount = 0
        let keptMax = config.limits.keptDroppedTargets
        for group in groups {
            for labels in group.targets {
                do {
                    switch try factory.make(labels, group: group.labels) {
                    case .target(let target):
                        if targets[target.identity] == nil { targets[target.identity] = target }
                    case .dropped(let labels):
                        droppedCount += 1
                        if keptMax == 0 || dropped.count < keptMax { dropped.append(labels) }
                    }
                } catch {
                    metrics.syncFailures.increment()
                    environment.logger.error(
                        "Creating target failed",
                        metadata: [
                            "scrape_pool": "\(config.jobName)", "labels": "\(labels)", "err": "\(error)",
                        ])
                }
            }
        }
        return targets
    }

    private func enforceTargetLimit() {
        let limit = config.limits.targets
        guard limit > 0 else { return }
        var failure: ScrapeFailure?
        if loops.count > limit {
            environment.metrics.targetLimitExceeded.increment()
            failure = ScrapeFailure(
                .targetLimit, "target_limit exceeded (number of targets: \(loops.count), limit: \(limit))")
        }
        for loop in loops.values { loop.setForcedFailure(failure) }
    }

    // MARK: - State

    func status() -> ScrapePoolStatus {
        let active = loops.values.map(\.status).sorted {
            $0.labels == $1.labels ? $0.scrapeURL < $1.scrapeURL : $0.labels < $1.labels
        }
        return ScrapePoolStatus(name: config.jobName, active: active, dropped: dropped, droppedCount: droppedCount)
    }

    /// Asks a target out of its turn, and stores nothing.
    /// - Returns: nil where the pool scrapes no such URL.
    func probe(url: String) async -> ProbeReport? {
        guard let loop = loops.values.first(where: { $0.target.url.hasSameBytes(as: url) }) else { return nil }
        let (config, environment) = (config, environment)
        var report = await Task(executorPreference: environment.threads) {
            await TargetProbe.run(loop.target, config: config, environment)
        }.value
        if let failure = loop.forcedFailure { report.problems.append(failure.description) }
        return report
    }

    func metadata() -> [TargetMetadata] {
        loops.values.map { TargetMetadata(target: $0.target.labels, metrics: $0.metadata) }
            .sorted { $0.target < $1.target }
    }

    // MARK: - End

    /// The job is gone, or has changed and another pool takes over: the loops mark the ends of their series in time.
    /// - Returns: the loops, which go on until they have.
    func retire(keepsMetrics: Bool) -> [ScrapeLoop] {
        isClosed = true
        listener?.cancel()
        for loop in loops.values { loop.retire() }
        let all = retiring + loops.values
        loops = [:]
        retiring = []
        if !keepsMetrics { metrics.remove() }
        return all.filter { !$0.isFinished }
    }

    /// The server is going down.
    func stop() async {
        isClosed = true
        listener?.cancel()
        let all = retiring + loops.values
        for loop in all { loop.stop() }
        for loop in all { await loop.waitUntilFinished() }
        await listener?.value
    }
}
