import ConfigTree
import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("Kubernetes discovery")
struct KubernetesDiscoveryTests {
    private let pods = "/api/v1/pods"

    @Test("Pods are listed page by page, then watched over a connection that stays open")
    func listAndWatch() async throws {
        try await withAPIServer("role: pod, bearer_token: secret, selectors: [{role: pod, label: 'a=b', field: 'c=d'}]")
        {
            api in
            api.list(
                pods,
                [
                    FakeAPIServer.page([FakeAPIServer.pod("a", "10.0.0.1")], version: 5, next: "t/1"),
                    FakeAPIServer.page([FakeAPIServer.pod("b", "10.0.0.2")], version: 5),
                ])
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.2:80"] })
            #expect(await eventually { api.hasWatch(pods) })
            api.send(pods, "ADDED", FakeAPIServer.pod("c", "10.0.0.3", version: 6))
            api.send(pods, "MODIFIED", FakeAPIServer.pod("a", "10.0.0.9", version: 7))
            api.send(pods, "DELETED", FakeAPIServer.pod("b", "10.0.0.2", version: 8))
            api.send(pods, "BOOKMARK", #"{"metadata":{"resourceVersion":"77"}}"#)
            #expect(await eventually { bench.addresses == ["10.0.0.3:80", "10.0.0.9:80"] })
            // The next watch goes on where the last one ended.
            api.endWatch(pods)
            #expect(await eventually { api.hasWatch(pods) })
            let requests = api.requests
            #expect(
                requests.map(\.path) == [
                    "/api/v1/pods?labelSelector=a%3Db&fieldSelector=c%3Dd&limit=500",
                    "/api/v1/pods?labelSelector=a%3Db&fieldSelector=c%3Dd&limit=500&continue=t%2F1",
                    "/api/v1/pods?labelSelector=a%3Db&fieldSelector=c%3Dd&watch=true&resourceVersion=5"
                        + "&allowWatchBookmarks=true&timeoutSeconds=300",
                    "/api/v1/pods?labelSelector=a%3Db&fieldSelector=c%3Dd&watch=true&resourceVersion=77"
                        + "&allowWatchBookmarks=true&timeoutSeconds=300",
                ])
            #expect(requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
            for (event, count) in [("add", 3), ("update", 1), ("delete", 1)] {
                #expect(
                    bench.metrics.contains(
                        #"prometheus_sd_kubernetes_events_total{role="pod",event="\#(event)"} \#(count)"#))
            }
            #expect(bench.metrics.contains("prometheus_sd_kubernetes_failures_total 0\n"))
        }
    }

    @Test(
        "Where the server has forgotten the version, the list is read anew and what vanished is gone",
        arguments: [
            LoopbackServer.Reply.answer(status: "410 Gone", body: []),
            .answer(body: Array(#"{"type":"ERROR","object":{"kind":"Status","code":410}}"#.utf8) + [0x0A]),
        ])
    func gone(reply: LoopbackServer.Reply) async throws {
        try await withAPIServer("role: pod") { api in
            api.list(
                pods,
                [
                    FakeAPIServer.page(
                        [FakeAPIServer.pod("a", "10.0.0.1"), FakeAPIServer.pod("b", "10.0.0.2")], version: 5),
                    FakeAPIServer.page(
                        [FakeAPIServer.pod("b", "10.0.0.2"), FakeAPIServer.pod("c", "10.0.0.3")], version: 9),
                ])
            api.answerWatches(pods, with: [reply])
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.2:80", "10.0.0.3:80"] })
            #expect(await eventually { api.hasWatch(pods) })
            #expect(api.requests.last?.path.contains("resourceVersion=9&") == true)
            #expect(bench.failureCount == 0)
        }
    }

    @Test("A failing server is asked again with growing pauses, its targets kept and the failures counted")
    func failures() async throws {
        let clock = ManualClock(now: 0)
        try await withAPIServer("role: pod", clock: clock) { api in
            api.list(
                pods,
                [
                    .answer(status: "403 Forbidden", body: []), .answer(body: Array("[{".utf8)),
                    FakeAPIServer.page([FakeAPIServer.pod("a", "10.0.0.1")], version: 5),
                ])
            api.answerWatches(pods, with: [.answer(status: "500 Oops", body: []), .answer(body: Array("{}\n".utf8))])
        } _: { api, bench in
            for (count, wait) in [(1, 1000), (2, 2000)] {
                #expect(await eventually { bench.failureCount == count && clock.sleeperCount == 1 })
                clock.advance(by: Int64(wait))
            }
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] })
            for (count, wait) in [(3, 1000), (4, 2000)] {
                #expect(await eventually { bench.failureCount == count && clock.sleeperCount == 1 })
                #expect(bench.addresses == ["10.0.0.1:80"])
                clock.advance(by: Int64(wait))
            }
            #expect(await eventually { api.hasWatch(pods) })
            #expect(bench.metrics.contains("prometheus_sd_kubernetes_failures_total 4\n"))
        }
    }

    @Test("Where watching fails again and again the list is read anew")
    func listsOnly() async throws {
        let clock = ManualClock(now: 0)
        try await withAPIServer("role: pod", clock: clock) { api in
            api.list(
                pods,
                [
                    FakeAPIServer.page([FakeAPIServer.pod("a", "10.0.0.1")], version: 5),
                    FakeAPIServer.page([FakeAPIServer.pod("a", "10.0.0.2")], version: 6),
                ])
            api.answerWatches(
                pods, with: Array(repeating: .answer(status: "403 Forbidden", body: []), count: 3))
        } _: { api, bench in
            for (count, wait) in [(1, 1000), (2, 2000), (3, 4000)] {
                #expect(await eventually { bench.failureCount == count && clock.sleeperCount == 1 })
                #expect(bench.addresses == ["10.0.0.1:80"])
                clock.advance(by: Int64(wait))
            }
            #expect(await eventually { bench.addresses == ["10.0.0.2:80"] && api.hasWatch(pods) })
        }
    }

    @Test("Endpoints follow their pods and services, in the namespaces that are named")
    func endpoints() async throws {
        let base = "/api/v1/namespaces/ns/"
        try await withAPIServer("role: endpoints, namespaces: {names: [ns]}") { api in
            api.list(base + "endpoints", [KubernetesFixture.endpoints])
            api.list(base + "services", [String]())
            api.list(base + "pods", [String]())
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.2:80"] })
            #expect(bench.targets.first?["__meta_kubernetes_pod_name"] == nil)
            #expect(await eventually { api.hasWatch(base + "pods") && api.hasWatch(base + "services") })
            api.send(base + "pods", "ADDED", KubernetesFixture.pod)
            #expect(await eventually { bench.targets.first?["__meta_kubernetes_pod_name"] == "web-1" })
            api.send(base + "services", "ADDED", KubernetesFixture.service)
            #expect(await eventually { bench.targets.first?["__meta_kubernetes_service_name"] == "web" })
            api.send(base + "pods", "DELETED", KubernetesFixture.pod)
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.2:80"] })
        }
    }

    @Test("Nothing is told before all lists are there")
    func sync() throws {
        let store = KubernetesStore(
            primary: .endpoints, lists: [.init(resource: .endpoints), .init(resource: .pods)])
        let endpoints = try KubernetesFixture.object(.endpoints)
        #expect(store.replace(.endpoints, namespace: nil, with: [endpoints]) == [.add])
        #expect(store.change(.endpoints, endpoints.meta.key, to: endpoints) == nil)
        #expect(store.replace(.pods, namespace: nil, with: []) == [])
        #expect(store.takeDirty().keys == [endpoints.meta.key])
        // A change that no target tells of makes no work.
        #expect(store.change(.pods, KubernetesKey(namespace: "ns", name: "x"), to: nil) == nil)
        let pod = try KubernetesFixture.object(.pods)
        #expect(store.change(.pods, pod.meta.key, to: pod) == .add)
        #expect(store.takeDirty().keys == [endpoints.meta.key])
        #expect(store.change(.pods, pod.meta.key, to: pod) == nil)
        #expect(store.takeDirty().keys.isEmpty)
    }

    private func kind(_ keys: String) throws -> KubernetesDiscovery {
        guard
            let kind = try one(section("kubernetes_sd_configs: [{role: pod\(keys)}]").entries).kind
                as? KubernetesDiscovery
        else { throw NotOne() }
        return kind
    }

    @Test("Inside a cluster the service account says where to ask, and the own namespace is known")
    func inCluster() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try directory.write("namespace", "mine\n")
        let kind = try kind(", namespaces: {own_namespace: true, names: [a, mine]}")
        let connection = try KubernetesConnection(kind, accountDirectory: directory.path) { name in
            ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"][name]
        }
        #expect(connection.server == "https://[fd00::1]:6443")
        #expect(connection.client.authorization?.credentials == .file(directory.path + "/token"))
        #expect(connection.client.tls.authorities == .file(directory.path + "/ca.crt"))
        #expect(try KubernetesConnection.namespaces(kind, accountDirectory: directory.path) == ["a", "mine"])
        #expect(throws: DiscoveryError.self) { try KubernetesConnection(kind) { _ in nil } }
        #expect(try KubernetesConnection.namespaces(self.kind("")) == [nil])
        let named = try self.kind(", api_server: 'kubernetes:443'")
        #expect(try KubernetesConnection(named).server == "http://kubernetes:443")
    }

    @Test("A kubeconfig names server, authority and credentials; programs for credentials are refused")
    func kubeconfig() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        func connection(
            _ user: String, cluster: String = "", context: String = "user: u"
        ) throws -> KubernetesConnection {
            let path = try directory.write(
                "config",
                """
                apiVersion: v1
                kind: Config
                current-context: two
                contexts:
                - {name: one, context: {cluster: x, user: x}}
                - {name: two, context: {cluster: c, namespace: n, \(context)}}
                clusters:
                - {name: c, cluster: {server: 'https://k:6443/', certificate-authority-data: SGFsbG8h\(cluster)}}
                users:
                - {name: u, user: {\(user)}}
                """)
            return try KubernetesConnection(kind(", kubeconfig_file: '\(path)'"))
        }
        let token = try connection("token: t, client-certificate: c.pem, client-key: k.pem")
        #expect(token.server == "https://k:6443")
        #expect(token.client.authorization?.credentials == .inline(.init("t")))
        #expect(token.client.tls.authorities == .inline(.init("Hallo!")))
        #expect(token.client.tls.certificate == .file(directory.path + "/c.pem"))
        #expect(try connection("username: a, password: b").client.basicAuth?.password == .inline(.init("b")))
        for (user, words) in [
            ("exec: {command: x}", "\"exec\" in a kubeconfig is not supported"),
            ("client-key-data: '*'", "is not base64"),
        ] {
            let error = #expect(throws: DiscoveryError.self) { try connection(user) }
            #expect(error?.message.contains(words) == true)
        }
        // Another identity than that of the user, and another way than the direct one.
        for (user, cluster, key) in [
            ("as: root", "", "as"), ("as-uid: '1'", "", "as-uid"), ("as-groups: [g]", "", "as-groups"),
            ("as-user-extra: {a: [b]}", "", "as-user-extra"), ("token: t", ", proxy-url: 'http://p'", "proxy-url"),
            ("token: t", ", tls-server-name: x", "tls-server-name"),
        ] {
            let error = #expect(throws: DiscoveryError.self) { try connection(user, cluster: cluster) }
            #expect(error?.message.contains("\"\(key)\" in a kubeconfig is not supported by Hearth yet") == true)
        }
        #expect(try connection("as-groups: [], as: ''", cluster: ", proxy-url: ''").server == "https://k:6443")
        // A context may do without a user, but not name one that is not there.
        #expect(try !connection("token: t", context: "extensions: []").client.hasCredentials)
        #expect(throws: DiscoveryError.self) { try connection("token: t", context: "user: nobody") }
    }
}
