import SelfMetrics
import SeriesModel

/// Keeps one resource, or one namespace of it, up to date in the store: a list, then a watch from the list's version on,
/// again and again. Where the server has forgotten that version (410), it begins with a list anew.
struct KubernetesWatch: Sendable {
    /// Objects a page of a list, at first
    private static let pageSize = 500
    /// After so many failures in a row the list is read anew.
    private static let watchAttempts = 3
    /// A watch that ends sooner has ended too soon. ms
    private static let shortWatch: Int64 = 1000
    /// How often a list is read that cannot be watched, because too many watches hang at the server. ms
    private static let relistInterval: Int64 = 30_000

    let api: APIClient
    let server: String
    let hangingRequests: HangingRequests
    /// Of the collection.
    let url: String
    let resource: KubernetesResource
    /// Nil for all.
    let namespace: String?
    let selector: KubernetesDiscovery.Selector?
    let clock: any WallClock
    let store: KubernetesStore
    let metrics: KubernetesMetrics
    let feed: DiscoveryFeed

    /// Returns when cancelled.
    func run() async {
        var version: String?
        var pageSize = KubernetesWatch.pageSize
        var pace = KubernetesPace()
        while !Task.isCancelled {
            let start = ContinuousClock.now
            var wait: Int64 = 0
            do throws(DiscoveryError) {
                if let known = version {
                    (version, wait) = try await follow(from: known, &pace)
                } else {
                    version = try await list(pageSize: pageSize)
                    pace.listed()
                    feed.refreshed(in: start.duration(to: .now))
                }
            } catch {
                if Task.isCancelled { return }
                switch error.kind {
                case .gone:
                    version = nil
                    wait = pace.gone()
                    // Once is usual where nothing has changed for long.
                    if wait > 0 { failed(error) }
                case .tooLarge where version == nil && pageSize > 1:
                    pageSize /= 2
                case .tooLarge, .other:
                    failed(error)
                    wait = pace.failed()
                    // Who may list but not watch shall still see what changes.
                    if pace.failureCount >= KubernetesWatch.watchAttempts { version = nil }
                }
            }
            guard wait > 0 else { continue }
            do { try await clock.sleep(milliseconds: wait) } catch { return }
        }
    }

    /// One watch, where the server has room for it.
    /// - Returns: the version to go on from, nil for a list; and how long to pause before (ms).
    private func follow(
        from version: String, _ pace: inout KubernetesPace
    ) async throws(DiscoveryError) -> (version: String?, wait: Int64) {
        guard hangingRequests.begin(at: server) else { return (nil, KubernetesWatch.relistInterval) }
        defer { hangingRequests.end(at: server) }
        let start = clock.now()
        let (next, eventCount) = try await watch(from: version)
        let isShort = clock.now().subtractingClamped(start) < KubernetesWatch.shortWatch
        let wait = pace.watched(eventCount: eventCount, isShort: isShort)
        if pace.shortCount > 1 { failed(DiscoveryError("the server ends its watches at once")) }
        return (next, wait)
    }

    private func failed(_ reason: DiscoveryError) {
        let place = namespace.map { " in namespace " + $0 } ?? ""
        metrics.failures.increment()
        feed.refreshFailed(DiscoveryError("\(resource.rawValue)\(place): \(reason)"))
    }

    var selectorParameters: [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let label = selector?.label, !label.isEmpty { parameters.append(("labelSelector", label)) }
        if let field = selector?.field, !field.isEmpty { parameters.append(("fieldSelector", field)) }
        return parameters
    }
}
