package import SelfMetrics
package import SeriesModel

/// Who asked a query.
package enum QueryOrigin: Sendable, Hashable {
    /// - Parameters:
    ///   - clientAddress: without the port; "" where it is not known.
    ///   - path: from the server's root on, prefix included.
    case request(clientAddress: String, method: String, path: String)
    case ruleGroup(file: String, name: String)
}

/// What is to be known of a query once it is over.
package struct QueryRecord: Sendable {
    package var text: String
    /// ms
    package var start: Timestamp
    /// ms; `start` for an instant query.
    package var end: Timestamp
    /// ms; 0 for an instant query.
    package var step: Int64
    package var origin: QueryOrigin?
    /// Of a query that failed only the times spent waiting and in all are known.
    package var statistics = QueryStatistics()
    /// Nil for a query that has an answer.
    package var error: QueryError?

    package init(text: String, start: Timestamp, end: Timestamp, step: Int64, origin: QueryOrigin? = nil) {
        self.text = text
        self.start = start
        self.end = end
        self.step = step
        self.origin = origin
    }
}

/// Is told what the engine works on: the port of the query log and of the list of active queries. The calls come from
/// the threads that evaluate, several at a time, and must be short.
package protocol QueryObserver: Sendable {
    /// A thread begins to work on a query. - Returns: a ticket that `queryEnded` gets back.
    func queryBegan(_ text: String) -> Int

    /// The thread is done with it.
    func queryEnded(_ ticket: Int)

    /// A query is over: evaluated, failed, or given up while it waited. Texts that are no queries are not told.
    func queryAnswered(_ record: QueryRecord)
}

/// The metrics of the query log. They are there, and 0, without one.
package struct QueryLogMetrics: Sendable {
    package let enabled: Gauge
    package let failures: Counter

    package init(_ registry: MetricsRegistry) {
        enabled = registry.gauge("prometheus_engine_query_log_enabled", "State of the query log.")
        failures = registry.counter(
            "prometheus_engine_query_log_failures_total", "The number of query log failures.")
    }
}
