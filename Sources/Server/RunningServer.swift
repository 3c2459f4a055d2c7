import ConfigTree
import FileIO
import HTTPAPI
import Logging
import NIOPosix
import Notifier
import OutboundHTTP
import PromQLEngine
import RemoteStorage
import Rules
import Scrape
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import TSDB
import WebUI

#if canImport(Glibc)
    import Glibc
#endif

/// Everything that runs, in the order in which it starts: configuration, store, engine, HTTP, then what acts by itself
/// (notifier, rules, scraping). It stops the other way round, so that what was received is stored.
actor RunningServer {
    private let options: ServerOptions
    private let logger: Logger
    private let clock: any WallClock = SystemClock()
    private let reloads: ReloadState
    private let phase = Phase()
    private let store: TSDB
    private let engine: QueryEngine
    private let queryLog: QueryLog
    private let scrapeFailures: ScrapeFailureLog
    private let transport: HTTPClientTransport
    private let notifier: Notifier
    private let rules: RuleManager
    private let scrapes: ScrapeManager
    private let remoteWrites: RemoteWriteSender
    private var api: APIServer?
    /// Looks for changes of the configuration, where that is wanted.
    private var configWatch: Task<Void, Never>?
    private var configFingerprint: [UInt64]?
    private var lastReload: Task<Void, any Error>?

    /// How long requests under way may take once the server stops.
    private static let stopGrace = Duration.seconds(3)

    /// What `/-/ready` says; read from request threads.
    final class Phase: Sendable {
        private let value = Mutex(Readiness.starting)

        var readiness: Readiness {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }

    /// Starts everything. - Throws: what keeps it from starting; nothing runs then.
    init(flags: FlagValues, logger: Logger, signals: SignalWatch) async throws {
        options = try ServerOptions(flags)
        self.logger = logger
        FileDescriptors.raiseLimit()
        let registry = MetricsRegistry()
        ProcessMetrics(registry)
        reloads = ReloadState(registry)
        // Taken first, as at a reload.
        configFingerprint = try? ConfigFingerprint.of(flags.string("config.file"))
        let config = try options.loadConfig()
        let storeOptions = try options.store(config, logger, registry)
        store = try TSDB.open(storeOptions)
        queryLog = QueryLog(clock: clock, registry: registry, logger: logger)
        scrapeFailures = ScrapeFailureLog(logger: logger)
        let engineOptions = options.engine(subqueryStep: config.globals.evaluationInterval)
        let active = RunningServer.activeQueries(storeOptions.directory, engineOptions.maxConcurrency, clock, logger)
        engine = QueryEngine(
            storage: store, options: engineOptions, metrics: registry,
            observer: QueryWatch(active: active, log: queryLog))
        transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let state = DurableState(store: store.state)
        notifier = Notifier(
            transport: transport, outbox: state, clock: clock, registry: registry,
            options: options.notifier, logger: logger)
        rules = RuleManager(
            context: RuleContext(
                query: engine.ruleQuery, storage: store, history: store, sink: notifier, states: state,
                clock: clock, metrics: RuleMetrics(registry), logger: logger))
        scrapes = ScrapeManager(
            appendable: store, transport: transport, clock: clock, registry: registry,
            options: options.scrapes, failures: scrapeFailures, logger: logger)
        var remoteWriteOptions = options.remoteWrite
        remoteWriteOptions.metadata = { [scrapes] in await scrapes.metadata() }
        remoteWriteOptions.newestTimestamp = { [store] in store.headStatistics().range?.max }
        remoteWrites = RemoteWriteSender(
            log: store, transport: transport, clock: clock, registry: registry, options: remoteWriteOptions,
            logger: logger)
        try await start(registry, config, signals)
    }

    /// The list of active queries is a help, no more: without it the server runs all the same.
    private static func activeQueries(
        _ directory: String, _ count: Int, _ clock: any WallClock, _ logger: Logger
    ) -> ActiveQueryFile? {
        do throws(FileError) {
            let layout = DataDirectoryLayout(fileSystem: PosixFileSystem(), directory: directory)
            return try ActiveQueryFile(
                directory: directory, name: layout.activeQueriesName, slotCount: count, clock: clock, logger: logger)
        } catch {
            logger.error("Active queries are not noted", metadata: ["err": "\(error)"])
            return nil
        }
    }

    private func start(_ registry: MetricsRegistry, _ config: ServerConfig, _ signals: SignalWatch) async throws {
        let logs: LogFiles
        do {
            logs = try openLogs(config)
            let services = try self.services(registry, signals)
            let api = APIServer(
                services, routes: APIRoutes(services).all + WebPages(services).all, logger: logger)
            let bound = try await api.start(on: options.addresses)
            self.api = api
            logger.info("listening", metadata: ["addresses": "\(bound.map(\.description).joined(separator: " "))"])
        } catch {
            store.close()
            await transport.shutdown()
            throw error
        }
        await apply(config, logs)
        watchConfig()
        phase.readiness = .ready
        logger.info("server is ready to receive web requests")
    }

    // MARK: Configuration

    /// Reads the configuration anew, one reading after the other.
    func reload() async throws {
        guard phase.readiness != .stopping else { throw ReloadFailure(reason: "the server is stopping") }
        let earlier = lastReload
        let task = Task {
            _ = await earlier?.result
            try await load()
        }
        lastReload = task
        try await task.value
    }

    /// All of it is read and checked before any of it is applied.
    private func load() async throws {
        do {
            // Taken first: what changes while the files are read is seen as a change later.
            let fingerprint = try? ConfigFingerprint.of(options.flags.string("config.file"))
            let config = try options.loadConfig()
            await apply(config, try openLogs(config))
            configFingerprint = fingerprint
            logger.info("configuration loaded", metadata: ["file": "\(options.flags.string("config.file"))"])
        } catch {
            reloads.failed()
            logger.error("configuration not loaded, the old one stays", metadata: ["error": "\(error)"])
            throw ReloadFailure(reason: "\(error)")
        }
    }

    private struct ReloadFailure: Error, CustomStringConvertible {
        let reason: String

        var description: String { "couldn't load configuration: \(reason)" }
    }

    /// Log files that a configuration names. They are opened anew each time, so that they can be moved away and
    /// replaced.
    private struct LogFiles {
        var queries: QueryLog.OpenFile?
        var scrapeFailures: ScrapeFailureLog.OpenFiles
    }

    private func openLogs(_ config: ServerConfig) throws -> LogFiles {
        let paths = Set(config.scrapeConfigs.map(\.failureLogFile)).subtracting([""])
        return LogFiles(
            queries: try queryLog.open(options.queryLogFile(config)), scrapeFailures: try scrapeFailures.open(paths))
    }

    /// Loads the configuration anew whenever a file of it has changed (`--config.auto-reload`). One that is bad is tried
    /// again each time, as upstream does.
    private func watchConfig() {
        guard options.flags.bool("config.auto-reload") else { return }
        let path = options.flags.string("config.file")
        // Shorter intervals would only burn time.
        let interval = max(options.flags.duration("config.auto-reload-interval") ?? 30_000, 1000)
        configWatch = Task { [weak self, clock] in
            while !Task.isCancelled {
                do { try await clock.sleep(milliseconds: interval) } catch { return }
                await self?.reloadIfChanged(path)
            }
        }
    }

    private func reloadIfChanged(_ path: String) async {
        do throws(ConfigError) {
            // After a failure the old file again is news too: the alarm has to end.
            if try ConfigFingerprint.of(path) == configFingerprint, reloads.isSuccessful { return }
        } catch {
            // A file that cannot be read is a configuration that cannot be loaded: that has to be seen.
            logger.error(
                "Failed to generate checksum during configuration reload", metadata: ["err": "\(error)"])
        }
        logger.info("Configuration file change detected, reloading the configuration.")
        // What went wrong is in the log, and in a metric.
        try? await reload()
    }

    /// Cannot fail: what could be wrong was found when the configuration was read.
    private func apply(_ config: ServerConfig, _ logs: LogFiles) async {
        for warning in config.globals.warnings + config.alerting.warnings + options.warnings(of: config.storage) {
            logger.warning("\(warning)")
        }
        do {
            try store.apply(try options.storage(config.storage))
        } catch {
            logger.error("storage settings not applied", metadata: ["error": "\(error)"])
        }
        let labels = config.globals.externalLabels
        // A queue that has changed sends what waits first, which may take its time.
        async let isSending: Void = remoteWrites.apply(config.remoteWrites, externalLabels: labels)
        queryLog.use(logs.queries)
        scrapeFailures.use(logs.scrapeFailures)
        engine.setDefaultSubqueryStep(config.globals.evaluationInterval)
        await notifier.apply(config.alerting, externalLabels: labels)
        await rules.apply(config.ruleFiles, settings: options.rules(config))
        await scrapes.apply(config.scrapeConfigs, externalLabels: labels)
        await isSending
        reloads.succeeded(config.yaml, externalLabels: labels, at: clock.now())
    }

    // MARK: Stopping

    /// Stops scraping and rules, sends what waits, answers what was asked, closes the store.
    func stop() async {
        logger.info("stopping")
        phase.readiness = .stopping
        configWatch?.cancel()
        // A reload may be waiting for queues that send what they have: they and the others have one deadline.
        await remoteWrites.beginStop()
        // One that is under way would start again what is stopped here.
        _ = await lastReload?.result
        await scrapes.stop()
        await rules.stop()
        await notifier.stop()
        await api?.stop(within: RunningServer.stopGrace)
        await remoteWrites.stop()
        await transport.shutdown()
        queryLog.close()
        scrapeFailures.close()
        store.close()
        logger.info("stopped")
    }

    // MARK: HTTP

    private func services(_ registry: MetricsRegistry, _ signals: SignalWatch) throws -> APIServices {
        let build = BuildInfo(
            version: ServerVersion.prometheus, revision: "", branch: "", goVersion: "swift6",
            hearthVersion: ServerVersion.hearth)
        var services = APIServices(
            engine: engine, storage: store, storageStatus: store, registry: registry, clock: clock,
            options: try options.api(), build: build,
            flags: Dictionary(uniqueKeysWithValues: options.flags.all.map { ($0.name, $0.value) }))
        services.exemplars = store
        let (scrapes, rules, notifier, reloads, phase) = (scrapes, rules, notifier, reloads, phase)
        if options.flags.bool("web.enable-remote-write-receiver") {
            services.writeReceiver = WriteReceiver(storage: store, clock: clock, registry: registry, logger: logger)
        }
        if options.flags.bool("web.enable-admin-api") { services.admin = StoreAdministration(store).services }
        services.scrapePools = { await scrapes.status() }
        services.relabelRules = { await scrapes.config(of: $0)?.relabelRules }
        services.scrapePoolConfiguration = { await scrapes.config(of: $0)?.output.yaml }
        services.probe = { await scrapes.probe(job: $0, url: $1) }
        services.metadata = { await scrapes.metadata() }
        services.targetMetadata = { await scrapes.targetMetadata().flatMap(\.entries) }
        services.ruleGroups = { await rules.status() }
        services.alertmanagers = {
            let status = await notifier.alertmanagers()
            var urls = AlertmanagerURLs()
            (urls.active, urls.dropped) = (status.active, status.dropped)
            return urls
        }
        services.configuration = { reloads.yaml }
        services.externalLabels = { reloads.externalLabels }
        let startTime = clock.now()
        let hostName = options.hostName
        services.runtime = {
            var runtime = RuntimeInfo()
            runtime.startTime = startTime
            runtime.workingDirectory = RunningServer.workingDirectory()
            runtime.hostname = hostName
            runtime.isReloadSuccessful = reloads.isSuccessful
            runtime.lastReloadTime = reloads.lastSuccess
            runtime.processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))
            return runtime
        }
        services.readiness = { phase.readiness }
        services.reload = { [weak self] in try await self?.reload() }
        services.quit = { signals.requestStop() }
        return services
    }

    private static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }
}

extension Scrape.TargetMetadata {
    /// One entry for each metric family, as the API lists them.
    fileprivate var entries: [HTTPAPI.TargetMetadata] {
        metrics.sorted { $0.key < $1.key }.map {
            HTTPAPI.TargetMetadata(target: target, metric: $0.key, metadata: $0.value)
        }
    }
}
