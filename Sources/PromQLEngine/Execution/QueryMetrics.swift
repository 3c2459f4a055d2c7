import SelfMetrics

/// The engine's own metrics (inventory 9.1.17, 9.2.8).
struct QueryMetrics: Sendable {
    let active: Gauge
    let queueTime: Summary
    private let prepareTime: Summary
    private let innerEvalTime: Summary
    private let sortTime: Summary
    private let samples: Counter

    init(_ registry: MetricsRegistry, maxConcurrency: Int) {
        active = registry.gauge(
            "prometheus_engine_queries", "The current number of queries being executed or waiting.")
        registry.gauge(
            "prometheus_engine_queries_concurrent_max", "The max number of concurrent queries."
        ).set(Double(maxConcurrency))
        _ = QueryLogMetrics(registry)
        samples = registry.counter(
            "prometheus_engine_query_samples_total", "The total number of samples loaded by all queries.")
        func slice(_ name: String) -> Summary {
            registry.summary(
                "prometheus_engine_query_duration_seconds", "Query timings.", [("slice", name)],
                quantiles: [0.5, 0.9, 0.99])
        }
        queueTime = slice("queue_time")
        prepareTime = slice("prepare_time")
        innerEvalTime = slice("inner_eval")
        sortTime = slice("result_sort")
    }

    func observe(_ statistics: QueryStatistics) {
        prepareTime.observe(statistics.queryPreparationTime)
        innerEvalTime.observe(statistics.innerEvalTime)
        sortTime.observe(statistics.resultSortTime)
        samples.increment(by: Double(statistics.totalQueryableSamples))
    }
}
