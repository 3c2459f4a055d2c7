#if canImport(Glibc)
    import Glibc
#endif

/// What may be set for a single query.
package struct QueryOptions: Sendable {
    /// ms; nil for the engine's.
    package var lookbackDelta: Int64?
    /// ms, capped by the engine's own; nil for the engine's.
    package var timeout: Int64?
    /// Whether the answer says what each operator did.
    package var explains = false
    /// Rules go before the queries of people.
    package var isRule = false
    /// Who asks, for the query log.
    package var origin: QueryOrigin?

    package init(lookbackDelta: Int64? = nil, timeout: Int64? = nil) {
        self.lookbackDelta = lookbackDelta
        self.timeout = timeout
    }
}

/// How an engine is set up: flags, features, limits.
package struct EngineOptions: Sendable {
    /// ms. An instant selector sees samples younger than this.
    package var lookbackDelta: Int64 = 5 * 60_000
    /// ms, waiting included.
    package var timeout: Int64 = 2 * 60_000
    /// Decoded samples held plus result cells.
    package var maxSamples = 50_000_000
    /// Bytes of columns, windows and answers that one query may hold.
    package var maxMemory = 1 << 62
    package var maxConcurrency = 20
    /// How many threads may work on one query; 1 for its own alone. The answer does not depend on it.
    package var parallelism = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// Bytes of a query's text.
    package var maxQueryBytes = 16 << 20
    /// The resolution of a subquery that names none: the global evaluation interval. ms
    package var defaultSubqueryStep: Int64 = 60_000
    /// `promql-experimental-functions`
    package var enablesExperimentalFunctions = false
    /// `promql-delayed-name-removal`
    package var enablesDelayedNameRemoval = false
    /// `promql-extended-range-selectors`
    package var enablesExtendedRangeSelectors = false
    /// `promql-binop-fill-modifiers`
    package var enablesFillModifiers = false
    /// `use-start-timestamps`
    package var usesStartTimestamps = false
    /// `type-and-unit-labels`
    package var enablesTypeAndUnitLabels = false

    package init() {}
}
