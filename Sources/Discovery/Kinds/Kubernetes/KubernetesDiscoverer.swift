import SelfMetrics
import SeriesModel

/// Lists and watches the resources that a role needs, and makes target groups of the objects that have changed.
struct KubernetesDiscoverer: Discoverer {
    /// ms
    private static let retryInterval: Int64 = 15_000

    let section: KubernetesDiscovery
    let context: DiscoveryContext
    let metrics: KubernetesMetrics

    func run(_ feed: DiscoveryFeed) async {
        guard let (connection, namespaces) = await connect(feed) else { return }
        var watches: [KubernetesStore.List] = []
        for resource in section.role.resources(section) {
            for namespace in resource.isNamespaced ? namespaces : [nil] {
                watches.append(KubernetesStore.List(resource: resource, namespace: namespace))
            }
        }
        let store = KubernetesStore(primary: section.role.resource, lists: watches)
        let api = APIClient(context, connection.client, holdsRequests: true)
        await withTaskGroup(of: Void.self) { group in
            for list in watches {
                let watch = KubernetesWatch(
                    api: api, server: connection.server, hangingRequests: context.hangingRequests,
                    url: connection.server + list.resource.path(namespace: list.namespace),
                    resource: list.resource, namespace: list.namespace,
                    selector: section.selectors.first { $0.resource == list.resource }, clock: context.clock,
                    store: store, metrics: metrics, feed: feed)
                group.addTask { await watch.run() }
            }
            for await _ in store.signals {
                if Task.isCancelled { break }
                let (keys, view) = store.takeDirty()
                let targets = KubernetesTargets(section: section, view: view)
                feed.update(
                    keys.map { key in
                        view[section.role.resource, key].flatMap { targets.group($0) }
                            ?? TargetGroup(
                                source: KubernetesTargets.source(section.role, key), labels: .empty, targets: [])
                    })
            }
            group.cancelAll()
        }
    }

    /// Nil when cancelled.
    private func connect(_ feed: DiscoveryFeed) async -> (KubernetesConnection, [String?])? {
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                return (try KubernetesConnection(section), try KubernetesConnection.namespaces(section))
            } catch {
                metrics.failures.increment()
                feed.refreshFailed(error)
            }
            do { try await context.clock.sleep(milliseconds: KubernetesDiscoverer.retryInterval) } catch { return nil }
        }
        return nil
    }
}
