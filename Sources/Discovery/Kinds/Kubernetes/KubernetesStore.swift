import Synchronization

/// The objects of one discoverer, as far as they are known, and which of those that targets are made of must be looked
/// at again.
///
/// Objects are held back until all lists that tell of them are there: those of their namespace, and those of the whole
/// cluster. Of several namespaces one that may not be read so holds up nothing but itself.
final class KubernetesStore: Sendable {
    /// One list to be read.
    struct List: Sendable, Hashable {
        var resource: KubernetesResource
        /// Nil for the whole cluster.
        var namespace: String?
    }

    private struct State {
        var objects: [KubernetesResource: [KubernetesKey: KubernetesObject]] = [:]
        /// The endpoints or slices that name a pod.
        var podUsers: [KubernetesKey: Set<KubernetesKey>] = [:]
        var dirty: Set<KubernetesKey> = []
        /// Those that must be looked at once they are no longer held back.
        var held: Set<KubernetesKey> = []
        /// Those that have not been read yet.
        var missingLists: Set<List>
        /// That are listed one by one.
        let namespaces: Set<String>

        init(lists: [List]) {
            missingLists = Set(lists)
            namespaces = Set(lists.compactMap(\.namespace))
        }

        /// Whether the lists that tell of a namespace's objects are there.
        func isComplete(_ namespace: String) -> Bool {
            missingLists.isEmpty || !missingLists.contains { $0.namespace == nil || $0.namespace == namespace }
        }

        mutating func mark(_ key: KubernetesKey) {
            if isComplete(key.namespace) { dirty.insert(key) } else { held.insert(key) }
        }

        mutating func mark(_ keys: some Sequence<KubernetesKey>) { for key in keys { mark(key) } }

        /// A list has been read. - Returns: whether that was the last one that something waited for.
        mutating func arrived(_ list: List) -> Bool {
            guard missingLists.remove(list) != nil else { return false }
            let ready = held.filter { isComplete($0.namespace) }
            held.subtract(ready)
            dirty.formUnion(ready)
            if let namespace = list.namespace { return isComplete(namespace) }
            guard !missingLists.contains(where: { $0.namespace == nil }) else { return false }
            return namespaces.isEmpty || namespaces.contains(where: isComplete)
        }
    }

    private let state: Mutex<State>
    private let primary: KubernetesResource
    private let signal: AsyncStream<Void>.Continuation
    /// One after changes of objects that are not held back.
    let signals: AsyncStream<Void>

    /// - Parameters:
    ///   - primary: the resource that targets are made of.
    ///   - lists: all that will be read.
    init(primary: KubernetesResource, lists: [List]) {
        self.primary = primary
        state = Mutex(State(lists: lists))
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// A consistent view for making targets.
    struct View {
        fileprivate let objects: [KubernetesResource: [KubernetesKey: KubernetesObject]]

        subscript(resource: KubernetesResource, key: KubernetesKey) -> KubernetesObject? { objects[resource]?[key] }

        func pod(_ key: KubernetesKey) -> KubernetesPod? {
            guard case .pod(let pod)? = objects[.pods]?[key] else { return nil }
            return pod
        }

        func service(_ key: KubernetesKey) -> KubernetesService? {
            guard case .service(let service)? = objects[.services]?[key] else { return nil }
            return service
        }

        func node(_ name: String) -> KubernetesNode? {
            guard case .node(let node)? = objects[.nodes]?[KubernetesKey(namespace: "", name: name)] else { return nil }
            return node
        }

        func meta(_ resource: KubernetesResource, _ namespace: String, _ name: String) -> KubernetesMeta? {
            objects[resource]?[KubernetesKey(namespace: namespace, name: name)]?.meta
        }
    }

    // MARK: - From the watches

    /// The whole content of a resource, or of one namespace of it.
    /// - Returns: what that changes.
    func replace(
        _ resource: KubernetesResource, namespace: String?, with objects: [KubernetesObject]
    ) -> [KubernetesChange] {
        let (changes, isDue) = state.withLock { state in
            var changes: [KubernetesChange] = []
            let present = Set(objects.map(\.meta.key))
            let gone = (state.objects[resource] ?? [:]).keys.filter { key in
                (namespace == nil || key.namespace == namespace) && !present.contains(key)
            }
            for key in gone { if let change = set(nil, resource, key, &state) { changes.append(change) } }
            for object in objects {
                if let change = set(object, resource, object.meta.key, &state) { changes.append(change) }
            }
            // The last list is news also where it is empty: now it is known what there is.
            let isCompleted = state.arrived(List(resource: resource, namespace: namespace))
            return (changes, isCompleted || !state.dirty.isEmpty)
        }
        if isDue { signal.yield() }
        return changes
    }

    /// - Parameter object: nil where it is gone.
    /// - Returns: nil where that changes nothing.
    func change(
        _ resource: KubernetesResource, _ key: KubernetesKey, to object: KubernetesObject?
    ) -> KubernetesChange? {
        let (change, isDue) = state.withLock { state in
            let change = set(object, resource, key, &state)
            return (change, change != nil && !state.dirty.isEmpty)
        }
        if isDue { signal.yield() }
        return change
    }

    private func set(
        _ object: KubernetesObject?, _ resource: KubernetesResource, _ key: KubernetesKey, _ state: inout State
    ) -> KubernetesChange? {
        let old = state.objects[resource]?[key]
        guard old != object else { return nil }
        state.objects[resource, default: [:]][key] = object
        if resource == primary {
            for pod in KubernetesStore.podKeys(old) { state.podUsers[pod]?.remove(key) }
            for pod in KubernetesStore.podKeys(object) { state.podUsers[pod, default: []].insert(key) }
            for pod in KubernetesStore.podKeys(old) where state.podUsers[pod]?.isEmpty == true {
                state.podUsers[pod] = nil
            }
            state.mark(key)
        } else {
            markUsers(of: resource, key, &state)
        }
        return object == nil ? .delete : old == nil ? .add : .update
    }

    private static func podKeys(_ object: KubernetesObject?) -> [KubernetesKey] {
        switch object {
        case .endpoints(let endpoints)?: endpoints.podKeys
        case .slice(let slice)?: slice.podKeys
        default: []
        }
    }

    /// Marks the primary objects whose targets tell of another object.
    private func markUsers(of resource: KubernetesResource, _ key: KubernetesKey, _ state: inout State) {
        // What is held back is still marked from when it came.
        guard state.isComplete(key.namespace) else { return }
        let all = state.objects[primary] ?? [:]
        switch resource {
        case .pods: state.mark(state.podUsers[key] ?? [])
        case .services where primary == .endpoints: if all[key] != nil { state.mark(key) }
        case .services:
            for (slice, object) in all where slice.namespace == key.namespace {
                if object.meta.label(KubernetesTargets.serviceNameLabel) == key.name { state.mark(slice) }
            }
        case .nodes where primary == .pods:
            for (pod, object) in all {
                if case .pod(let content) = object, content.nodeName == key.name { state.mark(pod) }
            }
        case .nodes: state.mark(all.keys)
        case .namespaces: for user in all.keys where user.namespace == key.name { state.mark(user) }
        case .replicaSets, .jobs:
            let kind = resource == .jobs ? "Job" : "ReplicaSet"
            for (pod, object) in state.objects[.pods] ?? [:] where pod.namespace == key.namespace {
                guard object.meta.controllerName == key.name, object.meta.controllerKind == kind else { continue }
                if primary == .pods {
                    state.mark(pod)
                } else {
                    state.mark(state.podUsers[pod] ?? [])
                }
            }
        case .endpoints, .endpointSlices, .ingresses: break
        }
    }

    // MARK: - To the discoverer

    /// What must be looked at and is not held back, and what there is. Forgets the former.
    func takeDirty() -> (keys: Set<KubernetesKey>, view: View) {
        state.withLock { state in
            defer { state.dirty = [] }
            return (state.dirty, View(objects: state.objects))
        }
    }
}
