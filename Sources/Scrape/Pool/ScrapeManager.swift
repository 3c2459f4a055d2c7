import Discovery
package import Logging
package import OutboundHTTP
import OwnThreads
package import SelfMetrics
package import SeriesModel
package import StorageAPI

/// All scrape jobs. Applying a configuration starts, keeps and retires pools; a pool whose configuration is the same
/// as before goes on untouched.
package actor ScrapeManager {
    package struct Options: Sendable {
        /// The `User-Agent` of scrapes.
        package var userAgent = "Prometheus/3.14.0"
        /// Nil: global URLs are the scrape URLs.
        package var externalAddress: ExternalAddress?
        /// Tells servers of a pair apart: their turns differ.
        package var hostName = ""
        package var threadCount = 2
        /// The feature `type-and-unit-labels`: series get `__type__` and `__unit__` from what targets say of them.
        package var addsTypeAndUnitLabels = false
        /// The feature `created-timestamp-zero-ingestion`: a zero is stored where a counter began.
        package var takesStarts = false

        package init() {}
    }

    private let environment: ScrapeEnvironment
    private let discovery: DiscoveryManager
    private let options: Options
    private var pools: [String: ScrapePool] = [:]
    /// Job names in the order of the configuration.
    private var order: [String] = []
    /// Loops of pools that are gone.
    private var retiring: [ScrapeLoop] = []
    private var isStopped = false
    private var isProbing = false

    package init(
        appendable: any Appendable, transport: any HTTPTransport, clock: any WallClock = SystemClock(),
        registry: MetricsRegistry, options: Options = Options(), failures: (any ScrapeFailureSink)? = nil,
        logger: Logger = Logger(label: "scrape")
    ) {
        self.options = options
        environment = ScrapeEnvironment(
            appendable: appendable, transport: transport, clock: clock, alarm: LoopAlarm(for: clock),
            metrics: ScrapeMetrics(registry: registry), threads: TaskThreads("scrape", count: options.threadCount),
            userAgent: options.userAgent, externalAddress: options.externalAddress,
            addsTypeAndUnitLabels: options.addsTypeAndUnitLabels, takesStarts: options.takesStarts,
            failures: failures, logger: logger)
        discovery = DiscoveryManager(
            name: "scrape", transport: transport, clock: clock, registry: registry, userAgent: options.userAgent)
    }

    /// Makes the jobs those of a configuration. It cannot fail: what can be wrong was found when it was read.
    /// Running scrapes of jobs that go or change are finished.
    package func apply(_ configs: [ScrapeConfig], externalLabels: LabelSet) async {
        guard !isStopped else { return }
        retiring.removeAll { $0.isFinished }
        order = configs.map(\.jobName)
        // First the whole change of state, then what takes time: whoever comes in between sees the new jobs.
        var leaving: [(pool: ScrapePool, keepsMetrics: Bool)] = []
        for (name, pool) in pools where !order.contains(name) {
            pools[name] = nil
            leaving.append((pool, false))
        }
        var starting: [ScrapePool] = []
        var reloading: Set<String> = []
        let start = ContinuousClock.now
        let seed = StableHash.hash(Array(options.hostName.utf8) + externalLabels.packed)
        for config in configs {
            if let old = pools[config.jobName] {
                if old.config == config { continue }
                environment.metrics.poolReloads.increment()
                reloading.insert(config.jobName)
                leaving.append((old, true))
            } else {
                environment.metrics.pools.increment()
            }
            let pool = ScrapePool(
                config: config, environment: environment, discovery: discovery, seed: seed)
            pools[config.jobName] = pool
            starting.append(pool)
        }
        // Sources that old and new jobs have in common go on, whichever pool listens.
        discovery.apply(configs.map { ($0.jobName, $0.discovery) })
        for (pool, keepsMetrics) in leaving {
            let loops = await pool.retire(keepsMetrics: keepsMetrics)
            retiring += loops
            if isStopped { await end(loops) }
        }
        for pool in starting {
            await pool.start()
            guard reloading.contains(pool.config.jobName) else { continue }
            let interval = DurationText.format(pool.config.scrapeInterval)
            environment.metrics.reloadLength(interval).observe(start.duration(to: .now).seconds)
        }
    }

    private func end(_ loops: [ScrapeLoop]) async {
        for loop in loops { loop.stop() }
        for loop in loops { await loop.waitUntilFinished() }
    }

    /// Abandons running requests and returns when nothing runs any more: what was received is stored. No series is
    /// marked as ended: the server will be back.
    package func stop() async {
        isStopped = true
        await withTaskGroup { group in
            for pool in pools.values { group.addTask { await pool.stop() } }
        }
        await end(retiring)
        await discovery.stop()
    }

    /// In the order of the configuration.
    package func status() async -> [ScrapePoolStatus] {
        var all: [ScrapePoolStatus] = []
        for name in order {
            if let pool = pools[name] { all.append(await pool.status()) }
        }
        return all
    }

    /// The configuration of a job, by its name.
    package func config(of job: String) -> ScrapeConfig? { pools[job]?.config }

    package enum ProbeOutcome: Sendable {
        case report(ProbeReport)
        /// No such target is scraped.
        case unknown
        /// Another probe is under way.
        case busy
    }

    /// Asks one of the targets that are scraped anyway, out of its turn; one at a time, since anybody may want it.
    package func probe(job: String, url: String) async -> ProbeOutcome {
        guard let pool = pools[job] else { return .unknown }
        guard !isProbing else { return .busy }
        isProbing = true
        defer { isProbing = false }
        return await pool.probe(url: url).map { .report($0) } ?? .unknown
    }

    /// What each target says about its metrics.
    package func targetMetadata() async -> [TargetMetadata] {
        var all: [TargetMetadata] = []
        for name in order {
            if let pool = pools[name] { all += await pool.metadata() }
        }
        return all
    }

    /// What is said about each metric family, each different saying once, in the order of the targets.
    package func metadata() async -> [String: [MetricMetadata]] {
        var families: [String: [MetricMetadata]] = [:]
        for target in await targetMetadata() {
            for (name, metadata) in target.metrics where families[name]?.contains(metadata) != true {
                families[name, default: []].append(metadata)
            }
        }
        return families
    }
}

/// The metric families of one target.
package struct TargetMetadata: Sendable {
    /// The target's labels.
    package var target: LabelSet
    package var metrics: [String: MetricMetadata]
}
