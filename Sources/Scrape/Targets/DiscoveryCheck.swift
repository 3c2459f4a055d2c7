import Discovery
package import OutboundHTTP
import SelfMetrics
package import SeriesModel

/// What discovery finds for one job, and what becomes of it: `hearth check service-discovery`.
package struct DiscoveryCheck: Sendable {
    /// One target found.
    package struct Result: Sendable, Hashable {
        package var discoveredLabels: LabelSet
        /// After relabelling; empty where it is dropped.
        package var labels: LabelSet
        /// Why the labels make no target; "" where they do.
        package var error: String
    }

    /// Runs the discovery of a job for so long and shows the last that was found, each different result once.
    /// - Parameter timeout: ms. Static targets alone are there at once.
    package static func run(
        _ config: ScrapeConfig, transport: any HTTPTransport, clock: any WallClock, timeout: Int64
    ) async -> [Result] {
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: clock, registry: MetricsRegistry())
        manager.apply([(config.jobName, config.discovery)])
        if !config.discovery.entries.isEmpty { try? await clock.sleep(milliseconds: timeout) }
        let groups = manager.groups(of: config.discovery)
        await manager.stop()
        return results(groups, config)
    }

    static func results(_ groups: [TargetGroup], _ config: ScrapeConfig) -> [Result] {
        let factory = TargetFactory(config: config)
        var results: [Result] = []
        var seen: Set<Result> = []
        for group in groups {
            for labels in group.targets {
                let discovered = factory.discoveredLabels(labels, group: group.labels)
                var result = Result(discoveredLabels: discovered, labels: .empty, error: "")
                do throws(TargetError) {
                    if case .target(let target) = try factory.make(labels, group: group.labels) {
                        result.labels = target.identity.labels
                    }
                } catch {
                    result.error = error.description
                }
                if seen.insert(result).inserted { results.append(result) }
            }
        }
        return results
    }

    /// The results as promtool prints them.
    package static func json(_ results: [Result]) -> String {
        if results.isEmpty { return "[]" }
        let objects = results.map { result in
            var members = [
                ("discoveredLabels", json(result.discoveredLabels)), ("labels", json(result.labels)),
            ]
            if !result.error.isEmpty { members.append(("error", JSONText.quoted(result.error))) }
            let lines = members.map { "    " + JSONText.quoted($0.0) + ": " + $0.1 }
            return "  {\n" + lines.joined(separator: ",\n") + "\n  }"
        }
        return "[\n" + objects.joined(separator: ",\n") + "\n]"
    }

    private static func json(_ labels: LabelSet) -> String {
        if labels.isEmpty { return "{}" }
        let lines = labels.map { "      " + JSONText.quoted($0.name) + ": " + JSONText.quoted($0.value) }
        return "{\n" + lines.joined(separator: ",\n") + "\n    }"
    }
}
