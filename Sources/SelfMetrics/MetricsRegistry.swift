import Synchronization

/// Our own metrics: counters, gauges, histograms and summaries, each registered once by the module that owns it.
/// Label text is rendered when a child is made; a sample then costs one atomic operation.
package final class MetricsRegistry: Sendable {
    private let families = Mutex<[String: MetricFamily]>([:])
    private let collectors = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    /// - Precondition: a name is registered with one kind and one help text only; the same call twice gives the same
    ///   child, so that a subsystem that is rebuilt on reload goes on counting.
    package func counter(_ name: String, _ help: String, _ labels: [(String, String)] = []) -> Counter {
        child(name, help, .counter, labels) { Counter() }
    }

    package func gauge(_ name: String, _ help: String, _ labels: [(String, String)] = []) -> Gauge {
        child(name, help, .gauge, labels) { Gauge() }
    }

    /// - Parameter buckets: upper bounds, ascending, without +Inf.
    package func histogram(
        _ name: String, _ help: String, _ labels: [(String, String)] = [], buckets: [Double]
    ) -> Histogram {
        child(name, help, .histogram, labels) { Histogram(buckets: buckets) }
    }

    /// - Parameter quantiles: computed over the newest 512 observations.
    package func summary(
        _ name: String, _ help: String, _ labels: [(String, String)] = [], quantiles: [Double] = []
    ) -> Summary {
        child(name, help, .summary, labels) { Summary(quantiles: quantiles) }
    }

    /// Runs before every exposition, to set gauges that are read off something else.
    package func onCollect(_ collect: @escaping @Sendable () -> Void) {
        collectors.withLock { $0.append(collect) }
    }

    /// Forgets the children of a family whose labels are not in use any more.
    package func remove(_ name: String, _ labels: [(String, String)]) {
        let key = MetricFamily.render(labels)
        families.withLock { families in
            guard let family = families[name] else { return }
            family.children.withLock { _ = $0.removeValue(forKey: key) }
        }
    }

    private func child<Metric: AnyMetric>(
        _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ labels: [(String, String)],
        _ make: () -> Metric
    ) -> Metric {
        let family = families.withLock { families in
            if let family = families[name] { return family }
            let family = MetricFamily(name: name, help: help, kind: kind)
            families[name] = family
            return family
        }
        precondition(family.kind == kind, "metric \(name) is registered as two kinds")
        let key = MetricFamily.render(labels)
        return family.children.withLock { children in
            if let existing = children[key] as? Metric { return existing }
            let metric = make()
            children[key] = metric
            return metric
        }
    }

    /// The names registered so far, sorted.
    package var names: [String] { families.withLock { $0.keys.sorted() } }

    /// All families in text format 0.0.4, or with OpenMetrics' ending and suffix rules.
    package func exposition(openMetrics: Bool = false) -> String {
        for collect in collectors.withLock({ $0 }) { collect() }
        let sorted = families.withLock { $0.values.sorted { $0.name < $1.name } }
        var text = ""
        for family in sorted { family.write(to: &text, openMetrics: openMetrics) }
        if openMetrics { text += "# EOF\n" }
        return text
    }
}
