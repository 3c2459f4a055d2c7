/// Names that `--enable-feature` knows.
package enum FeatureTable {
    package enum Effect: Sendable, Hashable {
        case active
        /// Known to Prometheus, nothing behind it here yet.
        case none
        /// Always on here, or no longer a choice: accepted in silence.
        case settled
    }

    package static let all: [String: Effect] = {
        var table: [String: Effect] = [:]
        for name in active { table[name] = .active }
        for name in pending { table[name] = Effect.none }
        for name in settled { table[name] = .settled }
        return table
    }()

    private static let active = [
        "promql-experimental-functions", "promql-delayed-name-removal", "promql-extended-range-selectors",
        "promql-binop-fill-modifiers", "exemplar-storage", "extra-scrape-metrics", "type-and-unit-labels",
        "use-start-timestamps", "created-timestamp-zero-ingestion",
    ]

    private static let pending = [
        "concurrent-rule-eval", "delayed-compaction",
        "histograms-st-encoding", "memory-snapshot-on-shutdown", "metadata-wal-records", "old-ui",
        "otlp-deltatocumulative", "otlp-native-delta-ingestion", "promql-per-step-stats", "search-api", "st-storage",
        "st-synthesis", "use-uncached-io", "xor2-encoding",
    ]

    private static let settled = [
        "agent", "auto-gomaxprocs", "auto-gomemlimit", "auto-reload-config", "expand-external-labels", "fast-startup",
        "native-histograms", "new-service-discovery-manager", "no-default-scrape-port", "no-scrape-default-port",
        "ooo-native-histograms", "promql-at-modifier", "promql-duration-expr", "promql-negative-offset",
        "remote-write-receiver", "utf8-names",
    ]
}
