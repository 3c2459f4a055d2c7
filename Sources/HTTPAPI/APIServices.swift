package import PromQLEngine
package import Relabeling
package import RemoteStorage
package import Rules
package import Scrape
package import SelfMetrics
package import SeriesModel
package import StorageAPI

/// All that the endpoints need of the rest of the server: values, and closures for what changes. Whoever composes the
/// server fills it in; nothing in here knows a store, a manager or the configuration by type.
package struct APIServices: Sendable {
    package var engine: QueryEngine
    package var storage: any Queryable
    package var storageStatus: any StorageStatus
    /// Nil where no exemplars are stored.
    package var exemplars: (any ExemplarQueryable)?
    package var registry: MetricsRegistry
    package var clock: any WallClock
    package var options: APIOptions
    package var build: BuildInfo
    /// Every flag with its value, defaults included.
    package var flags: [String: String]

    /// Deletion, clean-up and snapshots; nil where they are off.
    package var admin: AdminServices?
    /// Takes what remote write sends; nil where that is off.
    package var writeReceiver: WriteReceiver?
    /// One entry a scrape pool, in any order.
    package var scrapePools: @Sendable () async -> [ScrapePoolStatus] = { [] }
    /// The relabelling rules of a pool's targets; nil where there is no such pool.
    package var relabelRules: @Sendable (String) async -> [RelabelRule]? = { _ in nil }
    /// A pool's job as YAML, defaults filled in and secrets masked; nil where there is no such pool.
    package var scrapePoolConfiguration: @Sendable (String) async -> String? = { _ in nil }
    /// Asks a target of a pool, by its scrape URL.
    package var probe: @Sendable (_ pool: String, _ url: String) async -> ScrapeManager.ProbeOutcome = { _, _ in
        .unknown
    }
    /// By metric family: the distinct metadata that active targets told.
    package var metadata: @Sendable () async -> [String: [MetricMetadata]] = { [:] }
    /// The same, target by target.
    package var targetMetadata: @Sendable () async -> [TargetMetadata] = { [] }
    /// In the order of files and groups.
    package var ruleGroups: @Sendable () async -> [RuleGroupStatus] = { [] }
    package var alertmanagers: @Sendable () async -> AlertmanagerURLs = { AlertmanagerURLs() }
    /// `global.external_labels` of the configuration in force.
    package var externalLabels: @Sendable () -> LabelSet = { .empty }
    /// The configuration in force as YAML: defaults filled in, secrets masked.
    package var configuration: @Sendable () -> String = { "" }
    package var runtime: @Sendable () -> RuntimeInfo = { RuntimeInfo() }
    package var readiness: @Sendable () -> Readiness = { .ready }
    package var logReplay: @Sendable () -> LogReplay = { LogReplay() }
    /// Loads the configuration anew, all or nothing. What it throws is shown to the caller.
    package var reload: @Sendable () async throws -> Void = {}
    /// Asks the process to stop; returns at once.
    package var quit: @Sendable () -> Void = {}

    package init(
        engine: QueryEngine, storage: any Queryable, storageStatus: any StorageStatus, registry: MetricsRegistry,
        clock: any WallClock, options: APIOptions = APIOptions(), build: BuildInfo, flags: [String: String] = [:]
    ) {
        self.engine = engine
        self.storage = storage
        self.storageStatus = storageStatus
        self.registry = registry
        self.clock = clock
        self.options = options
        self.build = build
        self.flags = flags
    }
}

/// Settings of the HTTP side, most of them flags named `--web.*`.
package struct APIOptions: Sendable {
    /// Path part of the external URL, without a slash at the end: "" or "/prometheus". Redirects lead there.
    package var externalPath = ""
    /// Below which path everything is served, without a slash at the end.
    package var routePrefix = ""
    /// Whether a browser's `Origin` may read answers; nil for any.
    package var isOriginAllowed: (@Sendable (String) -> Bool)?
    /// `/-/reload` and `/-/quit` work.
    package var enablesLifecycle = false
    /// Connections a listen address holds at the same time; more wait to be accepted.
    package var connectionCountMax = 512
    /// ms. How long a request may take to arrive, and a connection to stay idle.
    package var readTimeout: Int64 = 5 * 60_000
    /// Bytes of a request's body.
    package var bodyBytesMax = 32 << 20
    /// Bytes of a request's head, the URL included.
    package var headBytesMax = 1 << 20
    package var pageTitle = "Hearth"

    package init() {}
}

/// What `/api/v1/status/buildinfo`, `/version` and `prometheus_build_info` say.
package struct BuildInfo: Sendable {
    /// The Prometheus version whose behaviour is served: Grafana reads it as semver.
    package var version: String
    package var revision: String
    package var branch: String
    package var buildUser: String
    package var buildDate: String
    /// What the server is built with; the name is that of the field in the API.
    package var goVersion: String
    package var hearthVersion: String

    package init(
        version: String = "3.14.0", revision: String = "", branch: String = "", buildUser: String = "",
        buildDate: String = "", goVersion: String = "swift6", hearthVersion: String
    ) {
        self.version = version
        self.revision = revision
        self.branch = branch
        self.buildUser = buildUser
        self.buildDate = buildDate
        self.goVersion = goVersion
        self.hearthVersion = hearthVersion
    }
}

/// What `/api/v1/status/runtimeinfo` says, beside the storage's retention and damage.
package struct RuntimeInfo: Sendable {
    /// ms
    package var startTime: Timestamp = 0
    package var workingDirectory = ""
    package var hostname = ""
    package var isReloadSuccessful = true
    /// ms
    package var lastReloadTime: Timestamp = 0
    package var threadCount = 0
    package var processorCount = 0

    package init() {}
}

package enum Readiness: Sendable, Hashable {
    case starting, ready, stopping
}

/// How far reading the write-ahead log has come, in segments.
package struct LogReplay: Sendable, Hashable {
    package var first = 0
    package var last = 0
    package var current = 0

    package init() {}
}

package struct TargetMetadata: Sendable {
    package var target: LabelSet
    package var metric: String
    package var metadata: MetricMetadata

    package init(target: LabelSet, metric: String, metadata: MetricMetadata) {
        self.target = target
        self.metric = metric
        self.metadata = metadata
    }
}

package struct AlertmanagerURLs: Sendable {
    package var active: [String] = []
    package var dropped: [String] = []

    package init() {}
}
