import SeriesModel

/// Pods, and the endpoints behind which they stand.
extension KubernetesTargets {
    private func podLabels(_ pod: KubernetesPod) -> MetaLabelBuilder {
        let prefix = KubernetesTargets.name("pod_")
        var labels = MetaLabelBuilder()
        KubernetesTargets.add(pod.meta, "pod", to: &labels)
        labels[prefix + "ip"] = pod.ip
        labels[prefix + "ready"] = pod.ready
        labels[prefix + "phase"] = pod.phase
        labels[prefix + "node_name"] = pod.nodeName
        labels[prefix + "host_ip"] = pod.hostIP
        labels[prefix + "uid"] = pod.meta.uid
        let (kind, name) = (pod.meta.controllerKind, pod.meta.controllerName)
        labels[prefix + "controller_kind"] = kind
        labels[prefix + "controller_name"] = name
        // Who made the controller is known from that alone.
        let namespace = pod.meta.key.namespace
        if kind == "ReplicaSet", section.attachesDeployments {
            let owner = view.meta(.replicaSets, namespace, name)
            if let owner, owner.controllerKind == "Deployment" {
                labels[prefix + "deployment_name"] = owner.controllerName
            }
        } else if kind == "Job", section.attachesJobs || section.attachesCronJobs {
            labels[prefix + "job_name"] = name
            let owner = view.meta(.jobs, namespace, name)
            if let owner, owner.controllerKind == "CronJob" { labels[prefix + "cronjob_name"] = owner.controllerName }
        }
        return labels
    }

    private static func portLabels(_ port: KubernetesPod.Port, to target: inout MetaLabelBuilder) {
        target[name("pod_container_port_number")] = String(port.number)
        target[name("pod_container_port_name")] = port.name
        target[name("pod_container_port_protocol")] = port.protocol
    }

    private static func containerLabels(_ container: KubernetesPod.Container, to target: inout MetaLabelBuilder) {
        target[name("pod_container_name")] = container.name
        target[name("pod_container_image")] = container.image
        target[name("pod_container_init")] = container.isInit ? "true" : "false"
    }

    /// One target for each port of each container; the pod's address alone for a container without ports.
    func targets(_ pod: KubernetesPod, _ labels: inout MetaLabelBuilder) -> [MetaLabelBuilder] {
        // While it starts, and after it was evicted.
        if pod.ip.isEmpty { return [] }
        // With its node it comes and goes.
        if section.attachesNodes || section.selectsNodes, view.node(pod.nodeName) == nil { return [] }
        labels = podLabels(pod)
        labels[KubernetesTargets.name("namespace")] = pod.meta.key.namespace
        addNode(pod.nodeName, to: &labels)
        return pod.containers.flatMap { container -> [MetaLabelBuilder] in
            var target = MetaLabelBuilder()
            KubernetesTargets.containerLabels(container, to: &target)
            target[KubernetesTargets.name("pod_container_id")] = container.identifier
            target[TargetGroup.address] = pod.ip
            if container.ports.isEmpty { return [target] }
            return container.ports.map { port in
                var target = target
                target[TargetGroup.address] = MetaLabels.address(pod.ip, port.number)
                KubernetesTargets.portLabels(port, to: &target)
                return target
            }
        }
    }

    // MARK: - Endpoints

    func targets(_ endpoints: KubernetesEndpoints, _ labels: inout MetaLabelBuilder) -> [MetaLabelBuilder] {
        let key = endpoints.meta.key
        labels[KubernetesTargets.name("namespace")] = key.namespace
        KubernetesTargets.add(endpoints.meta, "endpoints", to: &labels)
        if let service = view.service(key) { labels.merge(KubernetesTargets.serviceLabels(service)) }
        var pods = PodsBehind()
        var targets: [MetaLabelBuilder] = []
        for subset in endpoints.subsets {
            for port in subset.ports {
                let all = subset.ready.map { ($0, "true") } + subset.notReady.map { ($0, "false") }
                for (address, ready) in all {
                    var target = MetaLabelBuilder()
                    target[TargetGroup.address] = MetaLabels.address(address.ip, port.number)
                    target[KubernetesTargets.name("endpoint_port_name")] = port.name
                    target[KubernetesTargets.name("endpoint_port_protocol")] = port.protocol
                    target[KubernetesTargets.name("endpoint_ready")] = ready
                    target[KubernetesTargets.name("endpoint_address_target_kind")] = address.target?.kind
                    target[KubernetesTargets.name("endpoint_address_target_name")] = address.target?.name
                    target[KubernetesTargets.name("endpoint_node_name")] = address.nodeName
                    target[KubernetesTargets.name("endpoint_hostname")] = address.hostname
                    addNode(of: address.target, or: address.nodeName, to: &target)
                    addPod(of: address.target, port: port.number, to: &target, &pods)
                    targets.append(target)
                }
            }
        }
        return targets + pods.uncovered(podLabels)
    }

    func targets(_ slice: KubernetesSlice, _ labels: inout MetaLabelBuilder) -> [MetaLabelBuilder] {
        let key = slice.meta.key
        labels[KubernetesTargets.name("namespace")] = key.namespace
        labels[KubernetesTargets.name("endpointslice_address_type")] = slice.addressType
        KubernetesTargets.add(slice.meta, "endpointslice", to: &labels)
        if let name = slice.meta.label(KubernetesTargets.serviceNameLabel),
            let service = view.service(KubernetesKey(namespace: key.namespace, name: name))
        {
            // The other half of a service with two kinds of addresses is the same targets again.
            if let family = service.primaryFamily, family != slice.addressType { return [] }
            labels.merge(KubernetesTargets.serviceLabels(service))
        }
        var pods = PodsBehind()
        var targets: [MetaLabelBuilder] = []
        for endpoint in slice.endpoints {
            for port in slice.ports {
                for address in endpoint.addresses {
                    var target = KubernetesTargets.labels(endpoint, port, address)
                    addNode(of: endpoint.target, or: endpoint.nodeName, to: &target)
                    addPod(of: endpoint.target, port: port.number, to: &target, &pods)
                    targets.append(target)
                }
            }
        }
        return targets + pods.uncovered(podLabels)
    }

    private static func labels(
        _ endpoint: KubernetesSlice.Endpoint, _ port: KubernetesSlice.Port, _ address: String
    ) -> MetaLabelBuilder {
        var target = MetaLabelBuilder()
        let prefix = name("endpointslice_")
        target[TargetGroup.address] = port.number.map { MetaLabels.address(address, $0) } ?? address
        target[prefix + "port_name"] = port.name
        target[prefix + "port_protocol"] = port.protocol
        target[prefix + "port"] = port.number.map { String($0) }
        target[prefix + "port_app_protocol"] = port.appProtocol
        target[prefix + "endpoint_conditions_ready"] = endpoint.ready
        target[prefix + "endpoint_conditions_serving"] = endpoint.serving
        target[prefix + "endpoint_conditions_terminating"] = endpoint.terminating
        target[prefix + "endpoint_hostname"] = endpoint.hostname
        target[prefix + "endpoint_node_name"] = endpoint.nodeName
        target[prefix + "endpoint_zone"] = endpoint.zone
        target[prefix + "address_target_kind"] = endpoint.target?.kind
        target[prefix + "address_target_name"] = endpoint.target?.name
        for pair in endpoint.topology {
            let name = MetaLabels.sanitized(pair.name)
            target[prefix + "endpoint_topology_" + name] = pair.value
            target[prefix + "endpoint_topology_present_" + name] = "true"
        }
        return target
    }

    private func addNode(of target: KubernetesReference?, or name: String, to labels: inout MetaLabelBuilder) {
        addNode(target?.kind == "Node" ? target?.name ?? "" : name, to: &labels)
    }

    /// The pods behind some endpoints, and which of their ports the endpoints cover.
    private struct PodsBehind {
        private var ports: [KubernetesKey: Set<Int>] = [:]
        private var pods: [KubernetesPod] = []

        mutating func cover(_ pod: KubernetesPod, port: Int?) {
            if ports[pod.meta.key] == nil { pods.append(pod) }
            ports[pod.meta.key, default: []].formUnion(port.map { [$0] } ?? [])
        }

        /// A target for each other port of the pods' containers.
        func uncovered(_ podLabels: (KubernetesPod) -> MetaLabelBuilder) -> [MetaLabelBuilder] {
            pods.flatMap { pod -> [MetaLabelBuilder] in
                if pod.ip.isEmpty { return [] }
                return pod.containers.flatMap { container in
                    container.ports.filter { ports[pod.meta.key]?.contains($0.number) != true }.map { port in
                        var target = podLabels(pod)
                        target[TargetGroup.address] = MetaLabels.address(pod.ip, port.number)
                        KubernetesTargets.containerLabels(container, to: &target)
                        KubernetesTargets.portLabels(port, to: &target)
                        return target
                    }
                }
            }
        }
    }

    /// The labels of the pod that an endpoint is, and those of the container that has the port.
    private func addPod(
        of reference: KubernetesReference?, port: Int?, to target: inout MetaLabelBuilder, _ pods: inout PodsBehind
    ) {
        guard let key = reference?.podKey, let pod = view.pod(key) else { return }
        target.merge(podLabels(pod))
        pods.cover(pod, port: port)
        guard let port else { return }
        for container in pod.containers {
            guard let found = container.ports.first(where: { $0.number == port }) else { continue }
            KubernetesTargets.containerLabels(container, to: &target)
            KubernetesTargets.portLabels(found, to: &target)
        }
    }
}
