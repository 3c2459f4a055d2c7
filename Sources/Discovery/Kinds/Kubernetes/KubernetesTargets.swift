import SeriesModel

/// Makes the target group of one object (inventory 3.6; the names are upstream's).
struct KubernetesTargets {
    static let prefix = "__meta_kubernetes_"
    /// The label of a slice that names its service.
    static let serviceNameLabel = "kubernetes.io/service-name"

    let section: KubernetesDiscovery
    let view: KubernetesStore.View

    /// The name of an object's group.
    static func source(_ role: KubernetesRole, _ key: KubernetesKey) -> String {
        let kind = role == .service ? "svc" : role.rawValue
        return kind + "/" + key.text
    }

    /// Nil where the object makes no targets.
    func group(_ object: KubernetesObject) -> TargetGroup? {
        var labels = MetaLabelBuilder()
        let targets: [MetaLabelBuilder]
        switch object {
        case .pod(let pod): targets = self.targets(pod, &labels)
        case .service(let service): targets = self.targets(service, &labels)
        case .endpoints(let endpoints): targets = self.targets(endpoints, &labels)
        case .slice(let slice): targets = self.targets(slice, &labels)
        case .node(let node): targets = self.targets(node, &labels)
        case .ingress(let ingress): targets = self.targets(ingress, &labels)
        case .other: return nil
        }
        let key = object.meta.key
        if section.role != .node, section.attachesNamespaces, let namespace = view.meta(.namespaces, "", key.namespace)
        {
            KubernetesTargets.add(pairs: namespace, "namespace", to: &labels)
        }
        return TargetGroup(
            source: KubernetesTargets.source(section.role, key), labels: labels.build(),
            targets: targets.map { $0.build() })
    }

    // MARK: - What several kinds have

    static func name(_ suffix: String) -> String { prefix + suffix }

    /// Name, labels and annotations of an object.
    static func add(_ meta: KubernetesMeta, _ kind: String, to labels: inout MetaLabelBuilder) {
        labels[prefix + kind + "_name"] = meta.key.name
        add(pairs: meta, kind, to: &labels)
    }

    static func add(pairs meta: KubernetesMeta, _ kind: String, to labels: inout MetaLabelBuilder) {
        for pair in meta.labels {
            let name = MetaLabels.sanitized(pair.name)
            labels[prefix + kind + "_label_" + name] = pair.value
            labels[prefix + kind + "_labelpresent_" + name] = "true"
        }
        for pair in meta.annotations {
            let name = MetaLabels.sanitized(pair.name)
            labels[prefix + kind + "_annotation_" + name] = pair.value
            labels[prefix + kind + "_annotationpresent_" + name] = "true"
        }
    }

    /// What is known of a node, where it is to be attached.
    func addNode(_ name: String, to labels: inout MetaLabelBuilder) {
        guard section.attachesNodes, let node = view.node(name) else { return }
        KubernetesTargets.add(node.meta, "node", to: &labels)
    }

    // MARK: - Services, nodes, ingresses

    static func serviceLabels(_ service: KubernetesService) -> MetaLabelBuilder {
        var labels = MetaLabelBuilder()
        labels[name("namespace")] = service.meta.key.namespace
        add(service.meta, "service", to: &labels)
        return labels
    }

    private func targets(_ service: KubernetesService, _ labels: inout MetaLabelBuilder) -> [MetaLabelBuilder] {
        labels = KubernetesTargets.serviceLabels(service)
        let key = service.meta.key
        return service.ports.map { port in
            var target = MetaLabelBuilder()
            target[TargetGroup.address] = MetaLabels.address("\(key.name).\(key.namespace).svc", port.number)
            target[KubernetesTargets.name("service_port_name")] = port.name
            target[KubernetesTargets.name("service_port_number")] = String(port.number)
            target[KubernetesTargets.name("service_port_protocol")] = port.protocol
            target[KubernetesTargets.name("service_type")] = service.type
            if service.type == "ExternalName" {
                target[KubernetesTargets.name("service_external_name")] = service.externalName
            } else {
                target[KubernetesTargets.name("service_cluster_ip")] = service.clusterIP
            }
            if service.type == "LoadBalancer" {
                target[KubernetesTargets.name("service_loadbalancer_ip")] = service.loadBalancerIP
            }
            return target
        }
    }

    private static let nodeAddressTypes = [
        "InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname",
    ]

    private func targets(_ node: KubernetesNode, _ labels: inout MetaLabelBuilder) -> [MetaLabelBuilder] {
        KubernetesTargets.add(node.meta, "node", to: &labels)
        labels[KubernetesTargets.name("node_provider_id")] = node.providerID
        for condition in node.conditions {
            labels[KubernetesTargets.name("node_condition_") + MetaLabels.sanitized(condition.name)] = condition.value
        }
        let preferred = KubernetesTargets.nodeAddressTypes.lazy.compactMap { type in
            node.addresses.first { $0.name == type }
        }
        guard let address = preferred.first?.value else { return [] }
        var target = MetaLabelBuilder()
        target[TargetGroup.address] = MetaLabels.address(address, node.kubeletPort)
        target[Label.instance] = node.meta.key.name
        for pair in node.addresses.reversed() {
            target[KubernetesTargets.name("node_address_") + MetaLabels.sanitized(pair.name)] = pair.value
        }
        return [target]
    }

    private func targets(_ ingress: KubernetesIngress, _ labels: inout MetaLabelBuilder) -> [MetaLabelBuilder] {
        labels[KubernetesTargets.name("namespace")] = ingress.meta.key.namespace
        labels[KubernetesTargets.name("ingress_class_name")] = ingress.className
        KubernetesTargets.add(ingress.meta, "ingress", to: &labels)
        return ingress.rules.flatMap { rule in
            let isTLS = ingress.tlsHosts.contains { KubernetesTargets.matches($0, host: rule.host) }
            return rule.paths.map { path in
                var target = MetaLabelBuilder()
                target[TargetGroup.address] = rule.host
                target[KubernetesTargets.name("ingress_scheme")] = isTLS ? "https" : "http"
                target[KubernetesTargets.name("ingress_host")] = rule.host
                target[KubernetesTargets.name("ingress_path")] = path
                return target
            }
        }
    }

    /// Whether a host is that of a pattern, whose first part may be `*`.
    private static func matches(_ pattern: String, host: String) -> Bool {
        if pattern == host { return true }
        let dot = UInt8(ascii: ".")
        let wanted = pattern.utf8.split(separator: dot, omittingEmptySubsequences: false)
        let given = host.utf8.split(separator: dot, omittingEmptySubsequences: false)
        guard wanted.count == given.count, wanted.first?.elementsEqual("*".utf8) == true else { return false }
        return zip(wanted, given).dropFirst().allSatisfy { $0.elementsEqual($1) }
    }
}
