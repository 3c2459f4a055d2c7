import HTTPAPI
import Notifier
import PromQLEngine
package import PromQLSyntax
import Regexp
import RemoteStorage
import Rules
import Scrape
import SeriesModel
import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// The flags as the subsystems take them.
struct ServerOptions {
    let flags: FlagValues
    let addresses: [ListenAddress]
    let externalURL: ExternalURL
    let hostName: String

    /// A flag whose value has no meaning.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ flags: FlagValues) throws(Failure) {
        self.flags = flags
        hostName = ServerOptions.machineName()
        var addresses: [ListenAddress] = []
        for text in flags.strings("web.listen-address") {
            guard let address = ListenAddress(text) else {
                throw Failure(description: "--web.listen-address: \"\(text)\" is no address")
            }
            addresses.append(address)
        }
        self.addresses = addresses
        let port = addresses.first?.port ?? 9090
        let text = flags.string("web.external-url")
        guard let url = ExternalURL(text, hostName: hostName, listenPort: port) else {
            throw Failure(description: "--web.external-url: \"\(text)\" is no URL")
        }
        externalURL = url
    }

    private static func machineName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func isEnabled(_ feature: String) -> Bool { flags.features.contains(feature) }

    // MARK: Engine

    /// - Parameter subqueryStep: the global evaluation interval. ms
    func engine(subqueryStep: Int64) -> EngineOptions {
        var engine = EngineOptions()
        engine.lookbackDelta = flags.duration("query.lookback-delta") ?? engine.lookbackDelta
        engine.timeout = flags.duration("query.timeout") ?? engine.timeout
        engine.maxSamples = flags.integer("query.max-samples")
        engine.maxMemory = maxQueryMemory
        engine.maxConcurrency = flags.integer("query.max-concurrency")
        engine.defaultSubqueryStep = subqueryStep
        engine.enablesExperimentalFunctions = isEnabled("promql-experimental-functions")
        engine.enablesDelayedNameRemoval = isEnabled("promql-delayed-name-removal")
        engine.enablesExtendedRangeSelectors = isEnabled("promql-extended-range-selectors")
        engine.enablesFillModifiers = isEnabled("promql-binop-fill-modifiers")
        engine.usesStartTimestamps = isEnabled("use-start-timestamps")
        engine.enablesTypeAndUnitLabels = isEnabled("type-and-unit-labels")
        return engine
    }

    /// Bytes.
    private var maxQueryMemory: Int {
        guard flags.isGiven("query.max-memory") else { return MachineMemory.bytes / 4 }
        let bytes = flags.size("query.max-memory").map { Int(clamping: $0) } ?? 0
        return bytes > 0 ? bytes : EngineOptions().maxMemory
    }

    /// Where queries are logged, "" for nowhere: the configuration goes before the flag.
    func queryLogFile(_ config: ServerConfig) -> String {
        config.globals.queryLogFile.isEmpty ? flags.string("query.log-file") : config.globals.queryLogFile
    }

    func loadConfig() throws(ConfigLoadError) -> ServerConfig {
        try ServerConfig.loadServed(
            path: flags.string("config.file"), syntax: syntax, prefersProtobuf: takesStarts)
    }

    /// What expressions in rules may use.
    var syntax: ParserOptions { ParserOptions(features: flags.features) }

    /// Whether a zero is stored where a counter began.
    var takesStarts: Bool { isEnabled("created-timestamp-zero-ingestion") }

    // MARK: Rules

    func rules(_ config: ServerConfig) -> RuleSettings {
        var settings = RuleSettings()
        settings.evaluationInterval = config.globals.evaluationInterval
        settings.queryOffset = config.globals.ruleQueryOffset
        settings.externalLabels = config.globals.externalLabels
        settings.externalURL = externalURL.text
        settings.resendDelay = flags.duration("rules.alert.resend-delay") ?? settings.resendDelay
        settings.outageTolerance = flags.duration("rules.alert.for-outage-tolerance") ?? settings.outageTolerance
        settings.gracePeriod = flags.duration("rules.alert.for-grace-period") ?? settings.gracePeriod
        return settings
    }

    var notifier: NotifierOptions {
        var notifier = NotifierOptions()
        notifier.queueCapacity = max(1, flags.integer("alertmanager.notification-queue-capacity"))
        notifier.batchMax = max(1, flags.integer("alertmanager.notification-batch-size"))
        notifier.drainsOnStop = flags.bool("alertmanager.drain-notification-queue-on-shutdown")
        return notifier
    }

    /// What of remote write flags say.
    var remoteWrite: RemoteWriteOptions {
        var remoteWrite = RemoteWriteOptions()
        remoteWrite.flushDeadline = flags.duration("storage.remote.flush-deadline") ?? remoteWrite.flushDeadline
        remoteWrite.userAgent = "Prometheus/" + ServerVersion.prometheus
        return remoteWrite
    }

    var scrapes: ScrapeManager.Options {
        var scrapes = ScrapeManager.Options()
        scrapes.externalAddress = externalURL.address(listenPort: addresses.first?.port ?? 9090)
        scrapes.hostName = hostName
        scrapes.addsTypeAndUnitLabels = isEnabled("type-and-unit-labels")
        scrapes.takesStarts = takesStarts
        return scrapes
    }

    // MARK: HTTP

    func api() throws -> APIOptions {
        var api = APIOptions()
        api.externalPath = externalURL.path
        var prefix = flags.isGiven("web.route-prefix") ? flags.string("web.route-prefix") : externalURL.path
        while prefix.hasSuffix("/") { prefix.removeLast() }
        api.routePrefix = prefix.isEmpty || prefix.hasPrefix("/") ? prefix : "/" + prefix
        let origin = flags.string("web.cors.origin")
        if origin != ".*" {
            let pattern = try Pattern(origin)
            api.isOriginAllowed = { pattern.matches($0) }
        }
        api.enablesLifecycle = flags.bool("web.enable-lifecycle")
        api.connectionCountMax = max(1, flags.integer("web.max-connections"))
        api.readTimeout = flags.duration("web.read-timeout") ?? api.readTimeout
        api.pageTitle = flags.string("web.page-title")
        return api
    }
}

extension ParserOptions {
    /// The language with the features of `--enable-feature`.
    package init(features: [String]) {
        self.init()
        enablesExperimentalFunctions = features.contains("promql-experimental-functions")
        enablesExtendedRangeSelectors = features.contains("promql-extended-range-selectors")
        enablesFillModifiers = features.contains("promql-binop-fill-modifiers")
    }
}
