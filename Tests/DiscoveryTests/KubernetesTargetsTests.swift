import SeriesModel
import Testing

@testable import Discovery

/// Objects as the API writes them.
enum KubernetesFixture {
    static let pod = """
        {"metadata":{"name":"web-1","namespace":"ns","uid":"u1","labels":{"app.x/y":"web"},
          "annotations":{"prometheus.io/port":"80"},
          "ownerReferences":[{"kind":"Other","name":"o"},{"kind":"ReplicaSet","name":"web","controller":true}]},
         "spec":{"nodeName":"node1",
           "containers":[{"name":"c","image":"img:1","ports":[
               {"name":"http","containerPort":80,"protocol":"TCP"},{"containerPort":9100}]},
             {"name":"bare","image":"img:2"}],
           "initContainers":[{"name":"init","image":"img:3","ports":[{"name":"i","containerPort":7}]}]},
         "status":{"phase":"Running","podIP":"10.0.0.1","hostIP":"192.168.0.1",
           "conditions":[{"type":"Ready","status":"True"}],
           "containerStatuses":[{"name":"c","containerID":"docker://1"}]}}
        """
    static let service = """
        {"metadata":{"name":"web","namespace":"ns","labels":{"a":"b"},"annotations":{"c":"d"}},
         "spec":{"type":"LoadBalancer","clusterIP":"10.9.0.1","loadBalancerIP":"1.2.3.4",
           "ports":[{"name":"http","port":80,"protocol":"TCP"}]}}
        """
    static let endpoints = """
        {"metadata":{"name":"web","namespace":"ns","labels":{"e":"f"}},
         "subsets":[{"ports":[{"name":"http","port":80,"protocol":"TCP"}],
           "addresses":[{"ip":"10.0.0.1","nodeName":"node1","hostname":"h1",
             "targetRef":{"kind":"Pod","namespace":"ns","name":"web-1"}}],
           "notReadyAddresses":[{"ip":"10.0.0.2"}]}]}
        """
    static let slice = """
        {"metadata":{"name":"web-abc","namespace":"ns","labels":{"kubernetes.io/service-name":"web"}},
         "addressType":"IPv4","ports":[{"name":"http","port":80,"protocol":"TCP","appProtocol":"h2"}],
         "endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true,"serving":true,"terminating":false},
           "hostname":"h1","nodeName":"node1","zone":"z1","deprecatedTopology":{"t-1":"v"},
           "targetRef":{"kind":"Pod","namespace":"ns","name":"web-1"}},{"addresses":["10.0.0.7"]}]}
        """
    static let node = """
        {"metadata":{"name":"node1","labels":{"disk":"ssd"},"annotations":{"n":"m"}},"spec":{"providerID":"p://1"},
         "status":{"addresses":[{"type":"ExternalIP","address":"5.6.7.8"},{"type":"InternalIP","address":"fd00::1"},
             {"type":"InternalIP","address":"fd00::2"}],
           "conditions":[{"type":"Ready","status":"True"},{"type":"DiskPressure","status":"Unknown"}],
           "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}
        """
    static let ingress = """
        {"metadata":{"name":"front","namespace":"ns","labels":{"a":"b"}},
         "spec":{"ingressClassName":"nginx","tls":[{"hosts":["*.tls.org"]}],
           "rules":[{"host":"x.tls.org","http":{"paths":[{"path":"/a"},{}]}},{"host":"plain.org"}]}}
        """
    static let replicaSet = """
        {"metadata":{"name":"web","namespace":"ns","ownerReferences":[
          {"kind":"Deployment","name":"web-app","controller":true}]}}
        """
    static let job = """
        {"metadata":{"name":"web","namespace":"ns","ownerReferences":[
          {"kind":"CronJob","name":"nightly","controller":true}]}}
        """
    static let namespace = #"{"metadata":{"name":"ns","labels":{"team":"x"},"annotations":{"q":"r"}}}"#

    static func text(_ resource: KubernetesResource) -> String {
        switch resource {
        case .pods: pod
        case .services: service
        case .endpoints: endpoints
        case .endpointSlices: slice
        case .nodes: node
        case .ingresses: ingress
        case .namespaces: namespace
        case .replicaSets: replicaSet
        case .jobs: job
        }
    }

    static func object(_ resource: KubernetesResource, _ text: String? = nil) throws -> KubernetesObject {
        let json = try JSONValue(parsing: Array((text ?? self.text(resource)).utf8))
        guard let object = KubernetesObject(json, resource) else { throw NotOne() }
        return object
    }

    /// A store in which there is one object of each resource.
    static func store(_ primary: KubernetesResource) throws -> KubernetesStore {
        let store = KubernetesStore(
            primary: primary, lists: KubernetesResource.allCases.map { .init(resource: $0) })
        for resource in KubernetesResource.allCases {
            _ = store.replace(resource, namespace: nil, with: [try object(resource)])
        }
        return store
    }
}

@Suite("Kubernetes objects as targets")
struct KubernetesTargetsTests {
    private func group(_ role: String, _ more: String = "") throws -> TargetGroup {
        let entry = try one(section("kubernetes_sd_configs: [{role: \(role)\(more)}]").entries)
        guard let section = entry.kind as? KubernetesDiscovery else { throw NotOne() }
        let resource = section.role.resource
        let (keys, view) = try KubernetesFixture.store(resource).takeDirty()
        #expect(keys.count == 1)
        let object = try KubernetesFixture.object(resource)
        guard let group = KubernetesTargets(section: section, view: view).group(object) else { throw NotOne() }
        return group
    }

    private let podLabels: LabelSet = [
        "__meta_kubernetes_pod_name": "web-1", "__meta_kubernetes_pod_ip": "10.0.0.1",
        "__meta_kubernetes_pod_ready": "true", "__meta_kubernetes_pod_phase": "Running",
        "__meta_kubernetes_pod_node_name": "node1", "__meta_kubernetes_pod_host_ip": "192.168.0.1",
        "__meta_kubernetes_pod_uid": "u1", "__meta_kubernetes_pod_controller_kind": "ReplicaSet",
        "__meta_kubernetes_pod_controller_name": "web", "__meta_kubernetes_pod_label_app_x_y": "web",
        "__meta_kubernetes_pod_labelpresent_app_x_y": "true",
        "__meta_kubernetes_pod_annotation_prometheus_io_port": "80",
        "__meta_kubernetes_pod_annotationpresent_prometheus_io_port": "true",
    ]

    private let serviceLabels: LabelSet = [
        "__meta_kubernetes_namespace": "ns", "__meta_kubernetes_service_name": "web",
        "__meta_kubernetes_service_label_a": "b", "__meta_kubernetes_service_labelpresent_a": "true",
        "__meta_kubernetes_service_annotation_c": "d", "__meta_kubernetes_service_annotationpresent_c": "true",
    ]

    private func merged(_ sets: LabelSet...) -> LabelSet {
        var builder = LabelSetBuilder()
        for set in sets { for label in set { builder.set(label.name, label.value) } }
        return builder.build()
    }

    private func container(_ name: String, _ image: String, isInit: String = "false") -> LabelSet {
        [
            "__meta_kubernetes_pod_container_name": name, "__meta_kubernetes_pod_container_image": image,
            "__meta_kubernetes_pod_container_init": isInit,
        ]
    }

    private func port(_ number: String, _ name: String) -> LabelSet {
        [
            "__meta_kubernetes_pod_container_port_number": number, "__meta_kubernetes_pod_container_port_name": name,
            "__meta_kubernetes_pod_container_port_protocol": "TCP",
        ]
    }

    @Test("A pod is a target for each port of its containers, and one for a container without")
    func pod() throws {
        let group = try group("pod")
        #expect(group.source == "pod/ns/web-1")
        #expect(group.labels == merged(podLabels, ["__meta_kubernetes_namespace": "ns"]))
        let identifier: LabelSet = ["__meta_kubernetes_pod_container_id": "docker://1"]
        #expect(
            group.targets == [
                merged(["__address__": "10.0.0.1:80"], container("c", "img:1"), identifier, port("80", "http")),
                merged(["__address__": "10.0.0.1:9100"], container("c", "img:1"), identifier, port("9100", "")),
                merged(["__address__": "10.0.0.1"], container("bare", "img:2")),
                merged(["__address__": "10.0.0.1:7"], container("init", "img:3", isInit: "true"), port("7", "i")),
            ])
    }

    @Test("Nodes and namespaces are told of where they are attached")
    func attached() throws {
        let labels = try group("pod", ", attach_metadata: {node: true, namespace: true}").labels
        #expect(labels["__meta_kubernetes_node_name"] == "node1")
        #expect(labels["__meta_kubernetes_node_label_disk"] == "ssd")
        #expect(labels["__meta_kubernetes_node_labelpresent_disk"] == "true")
        #expect(labels["__meta_kubernetes_namespace_label_team"] == "x")
        #expect(labels["__meta_kubernetes_namespace_annotation_q"] == "r")
        #expect(labels["__meta_kubernetes_pod_deployment_name"] == nil)
        let endpoints = try group("endpoints", ", attach_metadata: {node: true, deployment: true}")
        #expect(endpoints.targets.first?["__meta_kubernetes_pod_deployment_name"] == "web-app")
        #expect(endpoints.targets.first?["__meta_kubernetes_node_label_disk"] == "ssd")
        #expect(try group("endpointslice").targets.first?["__meta_kubernetes_node_name"] == nil)
    }

    @Test("A service is a target for each port, by its name in the cluster")
    func service() throws {
        let group = try group("service")
        #expect(group.source == "svc/ns/web")
        #expect(group.labels == serviceLabels)
        #expect(
            group.targets == [
                [
                    "__address__": "web.ns.svc:80", "__meta_kubernetes_service_port_name": "http",
                    "__meta_kubernetes_service_port_number": "80", "__meta_kubernetes_service_port_protocol": "TCP",
                    "__meta_kubernetes_service_type": "LoadBalancer",
                    "__meta_kubernetes_service_cluster_ip": "10.9.0.1",
                    "__meta_kubernetes_service_loadbalancer_ip": "1.2.3.4",
                ]
            ])
    }

    @Test("Endpoints tell of their service and pods; ports of the pods that they do not cover are targets too")
    func endpoints() throws {
        let group = try group("endpoints")
        #expect(group.source == "endpoints/ns/web")
        #expect(
            group.labels
                == merged(
                    serviceLabels,
                    [
                        "__meta_kubernetes_endpoints_name": "web", "__meta_kubernetes_endpoints_label_e": "f",
                        "__meta_kubernetes_endpoints_labelpresent_e": "true",
                    ]))
        let common: LabelSet = [
            "__meta_kubernetes_endpoint_port_name": "http", "__meta_kubernetes_endpoint_port_protocol": "TCP",
        ]
        #expect(
            group.targets == [
                merged(
                    common, podLabels, container("c", "img:1"), port("80", "http"),
                    [
                        "__address__": "10.0.0.1:80", "__meta_kubernetes_endpoint_ready": "true",
                        "__meta_kubernetes_endpoint_address_target_kind": "Pod",
                        "__meta_kubernetes_endpoint_address_target_name": "web-1",
                        "__meta_kubernetes_endpoint_node_name": "node1", "__meta_kubernetes_endpoint_hostname": "h1",
                    ]),
                merged(common, ["__address__": "10.0.0.2:80", "__meta_kubernetes_endpoint_ready": "false"]),
                merged(["__address__": "10.0.0.1:9100"], podLabels, container("c", "img:1"), port("9100", "")),
                merged(
                    ["__address__": "10.0.0.1:7"], podLabels, container("init", "img:3", isInit: "true"), port("7", "i")
                ),
            ])
    }

    @Test("Slices tell of conditions, zone and topology")
    func slices() throws {
        let group = try group("endpointslice")
        #expect(group.source == "endpointslice/ns/web-abc")
        #expect(group.labels["__meta_kubernetes_endpointslice_name"] == "web-abc")
        #expect(group.labels["__meta_kubernetes_endpointslice_address_type"] == "IPv4")
        #expect(group.labels["__meta_kubernetes_service_name"] == "web")
        #expect(
            group.targets.map { $0["__address__"] } == ["10.0.0.1:80", "10.0.0.7:80", "10.0.0.1:9100", "10.0.0.1:7"])
        let prefix = "__meta_kubernetes_endpointslice_"
        let own = group.targets.first?.filter { $0.name.hasPrefix(prefix) }
        #expect(
            own.map { LabelSet(Array($0)) } == [
                prefix + "port": "80", prefix + "port_name": "http", prefix + "port_protocol": "TCP",
                prefix + "port_app_protocol": "h2", prefix + "endpoint_conditions_ready": "true",
                prefix + "endpoint_conditions_serving": "true", prefix + "endpoint_conditions_terminating": "false",
                prefix + "endpoint_hostname": "h1", prefix + "endpoint_node_name": "node1",
                prefix + "endpoint_zone": "z1", prefix + "address_target_kind": "Pod",
                prefix + "address_target_name": "web-1", prefix + "endpoint_topology_t_1": "v",
                prefix + "endpoint_topology_present_t_1": "true",
            ])
        #expect(group.targets.first?["__meta_kubernetes_pod_container_port_name"] == "http")
    }

    @Test("A node is a target at its kubelet, by the address preferred")
    func node() throws {
        let group = try group("node")
        #expect(group.source == "node/node1")
        #expect(
            group.labels == [
                "__meta_kubernetes_node_name": "node1", "__meta_kubernetes_node_provider_id": "p://1",
                "__meta_kubernetes_node_label_disk": "ssd", "__meta_kubernetes_node_labelpresent_disk": "true",
                "__meta_kubernetes_node_condition_ready": "true",
                "__meta_kubernetes_node_condition_diskpressure": "unknown", "__meta_kubernetes_node_annotation_n": "m",
                "__meta_kubernetes_node_annotationpresent_n": "true",
            ])
        #expect(
            group.targets == [
                [
                    "__address__": "[fd00::1]:10250", "instance": "node1",
                    "__meta_kubernetes_node_address_ExternalIP": "5.6.7.8",
                    "__meta_kubernetes_node_address_InternalIP": "fd00::1",
                ]
            ])
    }

    @Test("An ingress is a target for each path, https where its host is under TLS")
    func ingress() throws {
        let group = try group("ingress")
        #expect(group.source == "ingress/ns/front")
        #expect(group.labels["__meta_kubernetes_ingress_class_name"] == "nginx")
        #expect(group.labels["__meta_kubernetes_ingress_name"] == "front")
        let prefix = "__meta_kubernetes_ingress_"
        func target(_ host: String, _ scheme: String, _ path: String) -> LabelSet {
            ["__address__": host, prefix + "host": host, prefix + "scheme": scheme, prefix + "path": path]
        }
        #expect(
            group.targets == [
                target("x.tls.org", "https", "/a"), target("x.tls.org", "https", "/"),
                target("plain.org", "http", "/"),
            ])
    }

    @Test("Pods of jobs tell of the job and who made it; pods on other nodes than those selected are none")
    func jobsAndNodes() throws {
        let text = KubernetesFixture.pod.split(separator: "ReplicaSet").joined(separator: "Job")
        let pod = try KubernetesFixture.object(.pods, text)
        func targets(_ keys: String) throws -> TargetGroup? {
            let entry = try one(section("kubernetes_sd_configs: [{role: pod\(keys)}]").entries)
            guard let section = entry.kind as? KubernetesDiscovery else { throw NotOne() }
            let store = try KubernetesFixture.store(.pods)
            if keys.contains("selectors") {
                _ = store.change(.nodes, KubernetesKey(namespace: "", name: "node1"), to: nil)
            }
            return KubernetesTargets(section: section, view: store.takeDirty().view).group(pod)
        }
        let labels = try targets(", attach_metadata: {cronjob: true}")?.labels
        #expect(labels?["__meta_kubernetes_pod_job_name"] == "web")
        #expect(labels?["__meta_kubernetes_pod_cronjob_name"] == "nightly")
        #expect(try targets("")?.labels["__meta_kubernetes_pod_job_name"] == nil)
        #expect(try targets("")?.targets.count == 4)
        #expect(try targets(", selectors: [{role: node, label: a}]")?.targets.isEmpty == true)
    }

    @Test("Of a service with two kinds of addresses one kind makes the targets")
    func dualStack() throws {
        let entry = try one(section("kubernetes_sd_configs: [{role: endpointslice}]").entries)
        guard let section = entry.kind as? KubernetesDiscovery else { throw NotOne() }
        let slice = try KubernetesFixture.object(.endpointSlices)
        for (family, count) in [("IPv4", 4), ("IPv6", 0)] {
            let store = try KubernetesFixture.store(.endpointSlices)
            let service = try KubernetesFixture.object(
                .services,
                #"{"metadata":{"name":"web","namespace":"ns"},"spec":{"ipFamilyPolicy":"PreferDualStack","ipFamilies":["\#(family)"]}}"#
            )
            _ = store.change(.services, service.meta.key, to: service)
            let group = KubernetesTargets(section: section, view: store.takeDirty().view).group(slice)
            #expect(group?.targets.count == count, "\(family)")
        }
    }

    @Test("An object with everything missing or of another type makes no target and no trap")
    func strange() throws {
        for text in [
            #"{"metadata":{"name":"a"}}"#,
            #"{"metadata":{"name":"a","labels":7,"ownerReferences":{}},"spec":[],"status":"x","subsets":3,"ports":{},"endpoints":[7]}"#,
            #"{"metadata":{"name":"a"},"spec":{"ports":[{"port":99999}],"containers":[null,{"ports":[{"containerPort":-1}]}],"rules":[null]},"status":{"podIP":""},"subsets":[{"ports":[{"port":"80"}],"addresses":[{}]}]}"#,
        ] {
            for role in KubernetesRole.allCases {
                let object = try KubernetesFixture.object(role.resource, text)
                let section = try one(section("kubernetes_sd_configs: [{role: \(role.rawValue)}]").entries).kind
                guard let section = section as? KubernetesDiscovery else { throw NotOne() }
                let view = KubernetesStore(primary: role.resource, lists: []).takeDirty().view
                let group = KubernetesTargets(section: section, view: view).group(object)
                #expect(role == .ingress || group?.targets.isEmpty == true, "\(role)")
            }
        }
    }
}
