package import ConfigTree
package import Logging
package import OutboundHTTP
package import OwnThreads
package import SelfMetrics
package import SeriesModel

/// One kind of service discovery: an entry of its list in the configuration file, which knows how to make the discoverer
/// that it describes. Equal entries share one discoverer.
package protocol DiscoveryKind: Sendable, Hashable {
    /// `dns` for the key `dns_sd_configs`; also the mechanism in metrics.
    static var name: String { get }

    init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError)

    /// The entry with defaults filled in and secrets masked.
    var output: ConfigOutput { get }

    func discoverer(_ context: DiscoveryContext) -> any Discoverer

    /// Where its discoverers run.
    func threads(_ context: DiscoveryContext) -> TaskThreads

    /// Makes the kind's own metrics, so that they are there at 0 also where no job uses it.
    static func registerMetrics(_ registry: MetricsRegistry)
}

extension DiscoveryKind {
    package func threads(_ context: DiscoveryContext) -> TaskThreads { context.threads }

    package static func registerMetrics(_ registry: MetricsRegistry) {}
}

/// All kinds that there are. A new one gets a file in `Kinds` and a row here.
package enum DiscoveryKinds {
    package static let all: [any DiscoveryKind.Type] = [
        ConsulDiscovery.self,
        DNSDiscovery.self,
        DockerDiscovery.self,
        FileDiscovery.self,
        HTTPDiscovery.self,
        KubernetesDiscovery.self,
    ]

    /// Those that Prometheus has and Hearth has not; they are refused with a word of their own.
    static let unsupported = [
        "aws", "azure", "digitalocean", "dockerswarm", "ec2", "ecs", "elasticache", "eureka", "gce", "hetzner", "ionos",
        "kuma", "lightsail", "linode", "marathon", "msk", "nerve", "nomad", "oci", "openstack", "outscale", "ovhcloud",
        "puppetdb", "rds", "scaleway", "serverset", "stackit", "triton", "uyuni", "vultr",
    ]
}

/// What discoverers work with.
package struct DiscoveryContext: Sendable {
    package var transport: any HTTPTransport
    package var clock: any WallClock
    package var registry: MetricsRegistry
    package var logger: Logger
    package var userAgent: String
    package var fileWatcher: FileWatcher
    /// Where discoverers run: they parse answers.
    package var threads: TaskThreads
    /// Where those run that read files of targets: a file system that hangs must hold up nobody else.
    package var fileThreads: TaskThreads
    /// Of all discoverers together.
    package var hangingRequests: HangingRequests

    package init(
        transport: any HTTPTransport, clock: any WallClock, registry: MetricsRegistry, logger: Logger,
        userAgent: String
    ) {
        self.transport = transport
        self.clock = clock
        self.registry = registry
        self.logger = logger
        self.userAgent = userAgent
        fileWatcher = FileWatcher()
        threads = TaskThreads("discovery", count: 2)
        fileThreads = TaskThreads("file discovery", count: 2)
        hangingRequests = HangingRequests()
    }
}
