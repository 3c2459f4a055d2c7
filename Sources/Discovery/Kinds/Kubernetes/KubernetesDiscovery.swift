package import ConfigTree
import OutboundHTTP
package import SelfMetrics
import SeriesModel

/// One entry of `kubernetes_sd_configs`: what an API server knows of one role.
package struct KubernetesDiscovery: DiscoveryKind {
    package static let name = "kubernetes"

    struct Selector: Sendable, Hashable {
        var resource: KubernetesResource
        var label: String
        var field: String
    }

    var role: KubernetesRole
    /// "" for the server of the cluster that we run in, or of the kubeconfig.
    var server: String
    /// "" for none.
    var kubeconfig: String
    /// Empty for all.
    var namespaces: [String] = []
    var includesOwnNamespace = false
    var selectors: [Selector] = []
    var attachesNodes = false
    var attachesNamespaces = false
    /// The deployments, jobs and cron jobs that pods belong to.
    var attachesDeployments = false
    var attachesJobs = false
    var attachesCronJobs = false
    var client: HTTPClientSection

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("kubernetes.plain")
        server = try section.string("api_server") ?? ""
        kubeconfig = ConfigFile.resolve(try section.string("kubeconfig_file") ?? "", in: baseDirectory)
        let roleNode = section.take("role")
        let roleName = try roleNode?.string() ?? ""
        if let list = section.take("namespaces"), !list.isNull {
            var inner = try list.section("kubernetes.plain")
            namespaces = try inner.strings("names") ?? []
            includesOwnNamespace = try inner.bool("own_namespace") ?? false
            try inner.finish()
        }
        if let list = section.take("attach_metadata"), !list.isNull {
            var inner = try list.section("kubernetes.plain")
            attachesNodes = try inner.bool("node") ?? false
            attachesNamespaces = try inner.bool("namespace") ?? false
            attachesDeployments = try inner.bool("deployment") ?? false
            attachesJobs = try inner.bool("job") ?? false
            attachesCronJobs = try inner.bool("cronjob") ?? false
            try inner.finish()
        }
        let selectorNodes = try section.sequence("selectors") ?? []
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        try section.finish()
        guard !roleName.isEmpty else {
            throw node.error("role missing (one of: pod, service, endpoints, endpointslice, node, ingress)")
        }
        guard let role = KubernetesRole(rawValue: roleName) else {
            throw (roleNode ?? node).error("unknown Kubernetes SD role \(GoQuote.quote(roleName))")
        }
        self.role = role
        try check(node)
        for node in selectorNodes { try add(selector: node) }
    }

    private func check(_ node: ConfigNode) throws(ConfigError) {
        let isPlain = client == HTTPClientSection()
        if !server.isEmpty, !kubeconfig.isEmpty {
            throw node.error("cannot use 'kubeconfig_file' and 'api_server' simultaneously")
        }
        if !kubeconfig.isEmpty, !isPlain {
            throw node.error("cannot use a custom HTTP client configuration together with 'kubeconfig_file'")
        }
        if server.isEmpty, !isPlain {
            throw node.error("to use custom HTTP client configuration please provide the 'api_server' URL explicitly")
        }
        if !server.isEmpty, includesOwnNamespace {
            throw node.error("cannot use 'api_server' and 'namespaces.own_namespace' simultaneously")
        }
        if !kubeconfig.isEmpty, includesOwnNamespace {
            throw node.error("cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously")
        }
    }

    private mutating func add(selector node: ConfigNode) throws(ConfigError) {
        var section = try node.section("kubernetes.SelectorConfig")
        let name = try section.string("role") ?? ""
        let labelNode = section.take("label")
        let fieldNode = section.take("field")
        let label = try labelNode?.string() ?? ""
        let field = try fieldNode?.string() ?? ""
        try section.finish()
        if let complaint = KubernetesLabelSelector.complaint(label) {
            throw (labelNode ?? node).error("invalid label selector \(GoQuote.quote(label)): \(complaint)")
        }
        if let complaint = KubernetesFieldSelector.complaint(field) {
            throw (fieldNode ?? node).error("invalid field selector \(GoQuote.quote(field)): \(complaint)")
        }
        guard let selected = KubernetesRole(rawValue: name) else {
            throw node.error("unknown Kubernetes SD role \(GoQuote.quote(name))")
        }
        guard !selectors.contains(where: { $0.resource == selected.resource }) else {
            throw node.error("duplicated selector role: \(name)")
        }
        guard role.selectable.contains(selected) else {
            let allowed = role.selectable.map(\.rawValue).joined(separator: ", ")
            throw node.error("\(role.rawValue) role supports only \(allowed) selectors")
        }
        selectors.append(Selector(resource: selected.resource, label: label, field: field))
    }

    /// Whether only pods on certain nodes are targets.
    var selectsNodes: Bool { role == .pod && selectors.contains { $0.resource == .nodes } }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = []
        if !server.isEmpty { entries.append(("api_server", .text(server))) }
        entries.append(("role", .text(role.rawValue)))
        if !kubeconfig.isEmpty { entries.append(("kubeconfig_file", .text(kubeconfig))) }
        entries += client.output
        var inner: [(key: String, value: ConfigOutput)] = [("own_namespace", .flag(includesOwnNamespace))]
        if !namespaces.isEmpty { inner.append(("names", .list(namespaces.map { .text($0) }))) }
        entries.append(("namespaces", .mapping(inner)))
        if !selectors.isEmpty {
            let list = selectors.map { selector -> ConfigOutput in
                let pairs = [
                    ("role", KubernetesRole.of(selector.resource)?.rawValue ?? ""), ("label", selector.label),
                    ("field", selector.field),
                ]
                return .mapping(pairs.filter { !$0.1.isEmpty }.map { ($0.0, .text($0.1)) })
            }
            entries.append(("selectors", .list(list)))
        }
        let attached = [
            ("node", attachesNodes), ("namespace", attachesNamespaces), ("deployment", attachesDeployments),
            ("job", attachesJobs), ("cronjob", attachesCronJobs),
        ].filter(\.1)
        if !attached.isEmpty {
            entries.append(("attach_metadata", .mapping(attached.map { ($0.0, .flag($0.1)) })))
        }
        return .mapping(entries)
    }

    package func discoverer(_ context: DiscoveryContext) -> any Discoverer {
        KubernetesDiscoverer(section: self, context: context, metrics: KubernetesMetrics(context.registry))
    }

    package static func registerMetrics(_ registry: MetricsRegistry) { _ = KubernetesMetrics(registry) }
}

/// What targets are made of.
enum KubernetesRole: String, Sendable, CaseIterable {
    case pod, service, endpoints, endpointslice, node, ingress

    var resource: KubernetesResource {
        switch self {
        case .pod: .pods
        case .service: .services
        case .endpoints: .endpoints
        case .endpointslice: .endpointSlices
        case .node: .nodes
        case .ingress: .ingresses
        }
    }

    static func of(_ resource: KubernetesResource) -> KubernetesRole? { allCases.first { $0.resource == resource } }

    /// The roles that a selector of this role may name.
    var selectable: [KubernetesRole] {
        switch self {
        case .pod: [.pod, .node]
        case .service: [.service]
        case .endpoints: [.pod, .service, .endpoints]
        case .endpointslice: [.pod, .service, .endpointslice]
        case .node: [.node]
        case .ingress: [.ingress]
        }
    }

    /// The resources whose objects are told of in the targets, those that the targets are made of first.
    func resources(_ section: KubernetesDiscovery) -> [KubernetesResource] {
        var all = [resource]
        switch self {
        case .endpoints, .endpointslice: all += [.services, .pods]
        case .pod, .service, .node, .ingress: break
        }
        if [.pod, .endpoints, .endpointslice].contains(self) {
            if section.attachesNodes || section.selectsNodes { all.append(.nodes) }
            if section.attachesDeployments { all.append(.replicaSets) }
            if section.attachesCronJobs { all.append(.jobs) }
        }
        if self != .node, section.attachesNamespaces { all.append(.namespaces) }
        return all
    }
}

/// A collection of the API.
enum KubernetesResource: String, Sendable, CaseIterable {
    case pods, services, endpoints, nodes, ingresses, namespaces, jobs
    case endpointSlices = "endpointslices"
    case replicaSets = "replicasets"

    /// - Parameter namespace: nil for all.
    func path(namespace: String?) -> String {
        let group =
            switch self {
            case .pods, .services, .endpoints, .nodes, .namespaces: "/api/v1"
            case .endpointSlices: "/apis/discovery.k8s.io/v1"
            case .ingresses: "/apis/networking.k8s.io/v1"
            case .replicaSets: "/apis/apps/v1"
            case .jobs: "/apis/batch/v1"
            }
        let scope = isNamespaced ? namespace.map { "/namespaces/" + PercentEncoding.encode($0) } ?? "" : ""
        return group + scope + "/" + rawValue
    }

    var isNamespaced: Bool { self != .nodes && self != .namespaces }
}

struct KubernetesMetrics: Sendable {
    let failures: Counter
    private let registry: MetricsRegistry

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        failures = registry.counter(
            "prometheus_sd_kubernetes_failures_total", "The number of failed WATCH/LIST requests.")
        for role in KubernetesRole.allCases {
            for event in KubernetesChange.allCases { _ = counter(role, event) }
        }
    }

    func handled(_ resource: KubernetesResource, _ change: KubernetesChange) {
        if let role = KubernetesRole.of(resource) { counter(role, change).increment() }
    }

    private func counter(_ role: KubernetesRole, _ change: KubernetesChange) -> Counter {
        registry.counter(
            "prometheus_sd_kubernetes_events_total", "The number of Kubernetes events handled.",
            [("role", role.rawValue), ("event", change.rawValue)])
    }
}

enum KubernetesChange: String, Sendable, CaseIterable {
    case add, update, delete
}
