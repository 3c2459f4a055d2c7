import Testing

@testable import Discovery

@Suite("What is known of a cluster")
struct KubernetesStoreTests {
    private func pod(_ name: String, _ namespace: String, _ ip: String = "10.0.0.1") throws -> KubernetesObject {
        try KubernetesFixture.object(.pods, FakeAPIServer.pod(name, ip, namespace: namespace))
    }

    private func key(_ namespace: String) -> KubernetesKey { KubernetesKey(namespace: namespace, name: "p") }

    @Test("Objects are held back until the lists of their namespace are there")
    func perNamespace() throws {
        let store = KubernetesStore(
            primary: .pods,
            lists: ["a", "b"].flatMap { namespace in
                [.init(resource: .pods, namespace: namespace), .init(resource: .jobs, namespace: namespace)]
            })
        _ = store.replace(.pods, namespace: "a", with: [try pod("p", "a")])
        _ = store.replace(.pods, namespace: "b", with: [try pod("p", "b")])
        #expect(store.takeDirty().keys.isEmpty)
        _ = store.replace(.jobs, namespace: "a", with: [])
        #expect(store.takeDirty().keys == [key("a")])
        #expect(store.change(.pods, key("b"), to: try pod("p", "b", "10.0.0.2")) == .update)
        #expect(store.takeDirty().keys.isEmpty)
        _ = store.replace(.jobs, namespace: "b", with: [])
        #expect(store.takeDirty().keys == [key("b")])
    }

    @Test("Lists of the whole cluster are waited for by all namespaces")
    func clusterScoped() throws {
        let store = KubernetesStore(
            primary: .pods, lists: [.init(resource: .pods, namespace: "a"), .init(resource: .nodes, namespace: nil)])
        _ = store.replace(.pods, namespace: "a", with: [try pod("p", "a")])
        #expect(store.takeDirty().keys.isEmpty)
        _ = store.replace(.nodes, namespace: nil, with: [])
        #expect(store.takeDirty().keys == [key("a")])
    }

    @Test("There is one signal for the last list, also where nothing is there, and none for a list read anew")
    func signals() async throws {
        let store = KubernetesStore(
            primary: .pods,
            lists: [
                .init(resource: .nodes, namespace: nil), .init(resource: .pods, namespace: "a"),
                .init(resource: .pods, namespace: "b"),
            ])
        var seen: [Int] = []
        let signals = store.signals
        func replace(_ resource: KubernetesResource, _ namespace: String?, _ objects: [KubernetesObject]) {
            _ = store.replace(resource, namespace: namespace, with: objects)
        }
        replace(.nodes, nil, [])
        replace(.nodes, nil, [])
        // The nodes alone are not what anybody waits for: the first signal comes with a namespace.
        replace(.pods, "a", [])
        var iterator = signals.makeAsyncIterator()
        await iterator.next()
        seen.append(store.takeDirty().keys.count)
        replace(.pods, "a", [])
        replace(.nodes, nil, [])
        replace(.pods, "b", [try pod("p", "b")])
        await iterator.next()
        seen.append(store.takeDirty().keys.count)
        #expect(seen == [0, 1])
    }
}
