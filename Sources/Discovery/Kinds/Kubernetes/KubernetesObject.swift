/// An object of the API, as far as targets tell of it. What is equal to what was known before makes no work: most changes
/// of an object in a cluster are none of these.
enum KubernetesObject: Sendable, Hashable {
    case pod(KubernetesPod)
    case service(KubernetesService)
    case endpoints(KubernetesEndpoints)
    case slice(KubernetesSlice)
    case node(KubernetesNode)
    case ingress(KubernetesIngress)
    /// A namespace, or what stands between a pod and who made it.
    case other(KubernetesMeta)

    /// Nil where the object has no name.
    init?(_ json: JSONValue, _ resource: KubernetesResource) {
        guard let meta = KubernetesMeta(json["metadata"]) else { return nil }
        switch resource {
        case .pods: self = .pod(KubernetesPod(json, meta))
        case .services: self = .service(KubernetesService(json, meta))
        case .endpoints: self = .endpoints(KubernetesEndpoints(json, meta))
        case .endpointSlices: self = .slice(KubernetesSlice(json, meta))
        case .nodes: self = .node(KubernetesNode(json, meta))
        case .ingresses: self = .ingress(KubernetesIngress(json, meta))
        case .namespaces, .replicaSets, .jobs: self = .other(meta)
        }
    }

    var meta: KubernetesMeta {
        switch self {
        case .pod(let pod): pod.meta
        case .service(let service): service.meta
        case .endpoints(let endpoints): endpoints.meta
        case .slice(let slice): slice.meta
        case .node(let node): node.meta
        case .ingress(let ingress): ingress.meta
        case .other(let meta): meta
        }
    }
}

/// The name of an object among those of its resource.
struct KubernetesKey: Sendable, Hashable {
    /// "" where the resource has no namespaces.
    var namespace: String
    var name: String

    var text: String { namespace.isEmpty ? name : namespace + "/" + name }
}

struct KubernetesPair: Sendable, Hashable {
    var name: String
    var value: String
}

struct KubernetesMeta: Sendable, Hashable {
    var key: KubernetesKey
    var uid: String
    var labels: [KubernetesPair]
    var annotations: [KubernetesPair]
    var controllerKind = ""
    var controllerName = ""

    init?(_ json: JSONValue?) {
        guard let json, let name = json["name"]?.string, !name.isEmpty else { return nil }
        key = KubernetesKey(namespace: json["namespace"]?.string ?? "", name: name)
        uid = json["uid"]?.string ?? ""
        labels = (json["labels"]?.textMembers ?? []).map { KubernetesPair(name: $0.name, value: $0.value) }
        annotations = (json["annotations"]?.textMembers ?? []).map { KubernetesPair(name: $0.name, value: $0.value) }
        if let owner = json["ownerReferences"]?.array?.first(where: { $0["controller"]?.bool == true }) {
            controllerKind = owner["kind"]?.string ?? ""
            controllerName = owner["name"]?.string ?? ""
        }
    }

    func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
}

struct KubernetesPod: Sendable, Hashable {
    struct Port: Sendable, Hashable {
        var name: String
        var number: Int
        var `protocol`: String
    }

    struct Container: Sendable, Hashable {
        var name: String
        var image: String
        var identifier: String
        var isInit: Bool
        var ports: [Port]
    }

    var meta: KubernetesMeta
    var ip: String
    var hostIP: String
    var phase: String
    /// `true`, `false` or `unknown`
    var ready: String
    var nodeName: String
    /// The init containers last.
    var containers: [Container]

    init(_ json: JSONValue, _ meta: KubernetesMeta) {
        self.meta = meta
        let status = json["status"]
        ip = status?["podIP"]?.string ?? ""
        hostIP = status?["hostIP"]?.string ?? ""
        phase = status?["phase"]?.string ?? ""
        let condition = status?["conditions"]?.array?.first { $0["type"]?.string == "Ready" }
        ready = condition?["status"]?.string?.lowercased() ?? "unknown"
        nodeName = json["spec"]?["nodeName"]?.string ?? ""
        let spec = json["spec"]
        containers =
            KubernetesPod.containers(spec?["containers"], status?["containerStatuses"], isInit: false)
            + KubernetesPod.containers(spec?["initContainers"], status?["initContainerStatuses"], isInit: true)
    }

    private static func containers(_ list: JSONValue?, _ statuses: JSONValue?, isInit: Bool) -> [Container] {
        (list?.array ?? []).map { json in
            let name = json["name"]?.string ?? ""
            let status = statuses?.array?.first { $0["name"]?.string == name }
            let ports = (json["ports"]?.array ?? []).compactMap { port in
                port["containerPort"]?.port.map { number in
                    Port(
                        name: port["name"]?.string ?? "", number: number,
                        protocol: port["protocol"]?.string ?? "TCP")
                }
            }
            return Container(
                name: name, image: json["image"]?.string ?? "", identifier: status?["containerID"]?.string ?? "",
                isInit: isInit, ports: ports)
        }
    }
}

struct KubernetesService: Sendable, Hashable {
    struct Port: Sendable, Hashable {
        var name: String
        var number: Int
        var `protocol`: String
    }

    var meta: KubernetesMeta
    var type: String
    var clusterIP: String
    var externalName: String
    var loadBalancerIP: String
    /// The address type whose slices are the service's, where it has two. Nil for the usual service.
    var primaryFamily: String?
    var ports: [Port]

    init(_ json: JSONValue, _ meta: KubernetesMeta) {
        self.meta = meta
        let spec = json["spec"]
        type = spec?["type"]?.string ?? ""
        clusterIP = spec?["clusterIP"]?.string ?? ""
        externalName = spec?["externalName"]?.string ?? ""
        loadBalancerIP = spec?["loadBalancerIP"]?.string ?? ""
        let isDualStack = spec?["ipFamilyPolicy"]?.string?.hasSuffix("DualStack") == true
        primaryFamily = isDualStack ? spec?["ipFamilies"]?.texts.first : nil
        ports = (spec?["ports"]?.array ?? []).compactMap { port in
            port["port"]?.port.map { number in
                Port(name: port["name"]?.string ?? "", number: number, protocol: port["protocol"]?.string ?? "TCP")
            }
        }
    }
}

struct KubernetesReference: Sendable, Hashable {
    var kind: String
    var namespace: String
    var name: String

    init?(_ json: JSONValue?) {
        guard let json, json.object != nil else { return nil }
        kind = json["kind"]?.string ?? ""
        namespace = json["namespace"]?.string ?? ""
        name = json["name"]?.string ?? ""
    }

    var podKey: KubernetesKey? { kind == "Pod" ? KubernetesKey(namespace: namespace, name: name) : nil }
}

struct KubernetesEndpoints: Sendable, Hashable {
    struct Address: Sendable, Hashable {
        var ip: String
        var hostname: String
        var nodeName: String
        var target: KubernetesReference?
    }

    struct Subset: Sendable, Hashable {
        var ready: [Address]
        var notReady: [Address]
        var ports: [KubernetesService.Port]
    }

    var meta: KubernetesMeta
    var subsets: [Subset]

    init(_ json: JSONValue, _ meta: KubernetesMeta) {
        self.meta = meta
        subsets = (json["subsets"]?.array ?? []).map { subset in
            Subset(
                ready: KubernetesEndpoints.addresses(subset["addresses"]),
                notReady: KubernetesEndpoints.addresses(subset["notReadyAddresses"]),
                ports: (subset["ports"]?.array ?? []).compactMap { port in
                    port["port"]?.port.map { number in
                        KubernetesService.Port(
                            name: port["name"]?.string ?? "", number: number,
                            protocol: port["protocol"]?.string ?? "TCP")
                    }
                })
        }
    }

    private static func addresses(_ list: JSONValue?) -> [Address] {
        (list?.array ?? []).map { json in
            Address(
                ip: json["ip"]?.string ?? "", hostname: json["hostname"]?.string ?? "",
                nodeName: json["nodeName"]?.string ?? "", target: KubernetesReference(json["targetRef"]))
        }
    }

    var podKeys: [KubernetesKey] { subsets.flatMap { ($0.ready + $0.notReady).compactMap { $0.target?.podKey } } }
}

struct KubernetesSlice: Sendable, Hashable {
    struct Port: Sendable, Hashable {
        var name: String?
        var number: Int?
        var `protocol`: String?
        var appProtocol: String?
    }

    struct Endpoint: Sendable, Hashable {
        var addresses: [String]
        var hostname: String
        var nodeName: String
        var zone: String
        /// As texts; "" where nothing is said.
        var ready: String
        var serving: String
        var terminating: String
        var target: KubernetesReference?
        var topology: [KubernetesPair]
    }

    var meta: KubernetesMeta
    var addressType: String
    var ports: [Port]
    var endpoints: [Endpoint]

    init(_ json: JSONValue, _ meta: KubernetesMeta) {
        self.meta = meta
        addressType = json["addressType"]?.string ?? ""
        ports = (json["ports"]?.array ?? []).map { port in
            Port(
                name: port["name"]?.string, number: port["port"]?.port, protocol: port["protocol"]?.string,
                appProtocol: port["appProtocol"]?.string)
        }
        endpoints = (json["endpoints"]?.array ?? []).map { endpoint in
            let conditions = endpoint["conditions"]
            func condition(_ name: String) -> String {
                conditions?[name]?.bool.map { $0 ? "true" : "false" } ?? ""
            }
            let topology = endpoint["deprecatedTopology"]?.textMembers ?? []
            return Endpoint(
                addresses: endpoint["addresses"]?.texts ?? [], hostname: endpoint["hostname"]?.string ?? "",
                nodeName: endpoint["nodeName"]?.string ?? "", zone: endpoint["zone"]?.string ?? "",
                ready: condition("ready"), serving: condition("serving"), terminating: condition("terminating"),
                target: KubernetesReference(endpoint["targetRef"]),
                topology: topology.map { KubernetesPair(name: $0.name, value: $0.value) })
        }
    }

    var podKeys: [KubernetesKey] { endpoints.compactMap { $0.target?.podKey } }
}

struct KubernetesNode: Sendable, Hashable {
    var meta: KubernetesMeta
    var providerID: String
    /// Type and address.
    var addresses: [KubernetesPair]
    /// Type and status.
    var conditions: [KubernetesPair]
    var kubeletPort: Int

    init(_ json: JSONValue, _ meta: KubernetesMeta) {
        self.meta = meta
        providerID = json["spec"]?["providerID"]?.string ?? ""
        addresses = (json["status"]?["addresses"]?.array ?? []).compactMap { json in
            guard let type = json["type"]?.string, let address = json["address"]?.string else { return nil }
            return KubernetesPair(name: type, value: address)
        }
        conditions = (json["status"]?["conditions"]?.array ?? []).compactMap { json in
            guard let type = json["type"]?.string, let status = json["status"]?.string else { return nil }
            return KubernetesPair(name: type.lowercased(), value: status.lowercased())
        }
        kubeletPort = json["status"]?["daemonEndpoints"]?["kubeletEndpoint"]?["Port"]?.port ?? 0
    }
}

struct KubernetesIngress: Sendable, Hashable {
    struct Rule: Sendable, Hashable {
        var host: String
        var paths: [String]
    }

    var meta: KubernetesMeta
    var className: String
    var tlsHosts: [String]
    var rules: [Rule]

    init(_ json: JSONValue, _ meta: KubernetesMeta) {
        self.meta = meta
        let spec = json["spec"]
        className = spec?["ingressClassName"]?.string ?? ""
        tlsHosts = (spec?["tls"]?.array ?? []).flatMap { $0["hosts"]?.texts ?? [] }
        rules = (spec?["rules"]?.array ?? []).map { rule in
            let paths = rule["http"]?["paths"]?.array?.map { $0["path"]?.string ?? "" } ?? [""]
            return Rule(host: rule["host"]?.string ?? "", paths: paths.map { $0.isEmpty ? "/" : $0 })
        }
    }
}
