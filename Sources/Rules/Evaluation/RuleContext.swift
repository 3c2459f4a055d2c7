package import Logging
import PromQLEngine
package import SeriesModel
package import StorageAPI

/// What all rules share that comes from flags and the configuration.
package struct RuleSettings: Sendable, Hashable {
    /// `global.evaluation_interval`, ms.
    package var evaluationInterval: Int64 = 60_000
    /// `global.rule_query_offset`, ms.
    package var queryOffset: Int64 = 0
    package var externalLabels = LabelSet.empty
    /// Without a slash at the end.
    package var externalURL = ""
    /// `--rules.alert.resend-delay`, ms.
    package var resendDelay: Int64 = 60_000
    /// `--rules.alert.for-outage-tolerance`, ms: how old a state may be to be taken up again.
    package var outageTolerance: Int64 = 3_600_000
    /// `--rules.alert.for-grace-period`, ms: the least that an alert waits to fire after a restart.
    package var gracePeriod: Int64 = 600_000

    package init() {}
}

/// What rules are evaluated with.
package struct RuleContext: Sendable {
    package private(set) var query: RuleQuery
    private let querySource: RuleQuerySource
    package var storage: any Appendable
    /// Where alert states of before a restart are looked up.
    package var history: (any Queryable)?
    package var sink: any AlertSink
    package var states: (any AlertStateStore)?
    package var clock: any WallClock
    package var metrics: RuleMetrics
    package var logger: Logger
    package var settings = RuleSettings()

    package init(
        query: @escaping RuleQuerySource, storage: any Appendable, history: (any Queryable)?, sink: any AlertSink,
        states: (any AlertStateStore)?, clock: any WallClock, metrics: RuleMetrics, logger: Logger
    ) {
        self.query = query(nil)
        querySource = query
        self.storage = storage
        self.history = history
        self.sink = sink
        self.states = states
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    /// The same for one group, which asks in its own name.
    func asking(asGroup name: String, in file: String) -> RuleContext {
        var context = self
        context.query = querySource(.ruleGroup(file: file, name: name))
        return context
    }
}
