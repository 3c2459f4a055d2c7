import OutboundHTTP
import SelfMetrics
import SeriesModel

/// Watches the catalog, and each service in it, by blocking queries: a query names the state that is known, and is
/// answered when there is another, or after two minutes. Where too many hang at the agent already, the others are answered
/// at once and asked again after the refresh interval.
struct ConsulDiscoverer: Discoverer {
    private static let watchSeconds: Int64 = 120
    /// ms
    private static let retryInterval: Int64 = 15_000
    /// No catalog makes more watches than this.
    private static let servicesMax = 20_000

    let section: ConsulDiscovery
    let clock: any WallClock
    let api: APIClient
    let metrics: ConsulMetrics
    let context: DiscoveryContext

    func run(_ feed: DiscoveryFeed) async {
        guard let datacenter = await datacenter(feed) else { return }
        if section.services.isEmpty || !section.tags.isEmpty {
            await watchCatalog(datacenter, feed)
        } else {
            await withDiscardingTaskGroup { group in
                for name in Set(section.services) {
                    group.addTask { await watchService(name, datacenter, feed) }
                }
            }
        }
    }

    /// The configured datacenter, or the agent's. Nil when cancelled.
    private func datacenter(_ feed: DiscoveryFeed) async -> String? {
        if !section.datacenter.isEmpty { return section.datacenter }
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                let answer = try await api.json(url("/v1/agent/self", []), timeout: 60_000)
                if let name = answer["Config"]?["Datacenter"]?.string { return name }
                throw DiscoveryError("invalid value for Config.Datacenter")
            } catch {
                guard await failed("Error retrieving datacenter name", error, feed) else { return nil }
            }
        }
        return nil
    }

    /// - Returns: false when cancelled.
    private func failed(_ what: String, _ error: DiscoveryError, _ feed: DiscoveryFeed) async -> Bool {
        guard !Task.isCancelled else { return false }
        metrics.failures.increment()
        feed.refreshFailed(DiscoveryError(what + ": " + error.message))
        do {
            try await clock.sleep(milliseconds: ConsulDiscoverer.retryInterval)
            return true
        } catch { return false }
    }

    // MARK: - Watches

    /// One watch of each service that the catalog names, for as long as it does.
    private func watchCatalog(_ datacenter: String, _ feed: DiscoveryFeed) async {
        var services: [String: Task<Void, Never>] = [:]
        await watch("/v1/catalog/services", catalogParameters, metrics.catalogDuration, "service list", feed) {
            answer throws(DiscoveryError) in
            guard let catalog = answer.object else { throw DiscoveryError("json: the catalog is no object") }
            let wanted = catalog.filter { isWanted($0.key, tags: $0.value.texts) }
            guard wanted.count <= ConsulDiscoverer.servicesMax else {
                throw DiscoveryError("more than \(ConsulDiscoverer.servicesMax) services")
            }
            for (name, task) in services where wanted[name] == nil {
                services[name] = nil
                task.cancel()
                // Afterwards it has nothing to say any more.
                await task.value
                feed.update([TargetGroup(source: name, labels: .empty, targets: [])])
            }
            for name in wanted.keys where services[name] == nil {
                services[name] = Task(executorPreference: context.threads) {
                    await watchService(name, datacenter, feed)
                }
            }
            if wanted.isEmpty { feed.update([]) }
        }
        for task in services.values { task.cancel() }
        for task in services.values { await task.value }
    }

    private var catalogParameters: [(name: String, value: String)] {
        section.filter.isEmpty ? [] : [("filter", section.filter)]
    }

    private func isWanted(_ name: String, tags: [String]) -> Bool {
        (section.services.isEmpty || section.services.contains(name)) && section.tags.allSatisfy(tags.contains)
    }

    private func watchService(_ name: String, _ datacenter: String, _ feed: DiscoveryFeed) async {
        var parameters = section.tags.map { (name: "tag", value: $0) }
        if !section.healthFilter.isEmpty { parameters.append(("filter", section.healthFilter)) }
        let path = "/v1/health/service/" + PercentEncoding.encode(name)
        await watch(path, parameters, metrics.serviceDuration, "service \(name)", feed) {
            answer throws(DiscoveryError) in
            guard let entries = answer.array else { throw DiscoveryError("json: the instances are no array") }
            let labels: LabelSet = ["__meta_consul_dc": datacenter, "__meta_consul_service": name]
            let targets = entries.compactMap { ConsulTarget.labels($0, tagSeparator: section.tagSeparator) }
            if Task.isCancelled { return }
            feed.update([TargetGroup(source: name, labels: labels, targets: targets)])
        }
    }

    /// Asks again and again for what is behind a path, until cancelled.
    private func watch(
        _ path: String, _ parameters: [(name: String, value: String)], _ duration: Summary, _ what: String,
        _ feed: DiscoveryFeed, _ handle: (JSONValue) async throws(DiscoveryError) -> Void
    ) async {
        var index: UInt64 = 0
        while !Task.isCancelled {
            let begin = clock.now()
            let start = ContinuousClock.now
            // Without an index the agent answers at once.
            let hangs = index > 0 && context.hangingRequests.begin(at: section.endpoint)
            do throws(DiscoveryError) {
                defer { if hangs { context.hangingRequests.end(at: section.endpoint) } }
                let waiting = [
                    (name: "index", value: String(hangs ? index : 0)),
                    (name: "wait", value: "\(ConsulDiscoverer.watchSeconds)s"),
                ]
                let response = try await api.get(
                    url(path, parameters + waiting), timeout: (ConsulDiscoverer.watchSeconds + 15) * 1000)
                let elapsed = start.duration(to: .now)
                duration.observe(elapsed.seconds)
                let next = response.header("x-consul-index").flatMap { UInt64($0) } ?? 0
                // The same: there is no news.
                if next == 0 || next != index { try await handle(JSONValue(parsing: response.body)) }
                // Going back means that the servers have begun anew.
                index = next < index ? 0 : next
                feed.refreshed(in: elapsed)
            } catch {
                guard await failed("Error refreshing \(what)", error, feed) else { return }
                continue
            }
            // Never longer than the interval: the clock may have been set back while the query hung.
            let next = min(begin, clock.now()).addingClamped(section.refreshInterval)
            do { try await clock.sleep(until: next) } catch { return }
        }
    }

    private func url(_ path: String, _ parameters: [(name: String, value: String)]) -> String {
        var all = parameters
        let scopes = [("dc", section.datacenter), ("ns", section.namespace), ("partition", section.partition)]
        for (name, value) in scopes where !value.isEmpty { all.append((name, value)) }
        if section.allowsStale { all.append(("stale", "")) }
        for pair in section.nodeMeta { all.append(("node-meta", pair.name + ":" + pair.value)) }
        return section.endpoint + path + URLText.query(all)
    }
}
