/// Every flag that Prometheus 3.14 has (hidden ones included) and our own, in the order of `--help`.
package enum FlagTable {
    package static let all: [FlagDefinition] =
        config + web + storage + agent + remote + rules + alertmanager + query + common

    package static func definition(named name: String) -> FlagDefinition? {
        byName[name]
    }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let config: [FlagDefinition] = [
        .init("config.file", .text, "prometheus.yml", "Configuration file path."),
        .init("config.auto-reload", .boolean, "false", "Reload when a configuration file changes."),
        .init("config.auto-reload-interval", .duration, "30s", "How often to look for changes."),
    ]

    private static let web: [FlagDefinition] = [
        .init(
            "web.listen-address", .repeated, "0.0.0.0:9090",
            "Address to listen on for UI, API and own metrics. Can be repeated."),
        .init("web.config.file", .text, "", "File that enables TLS or authentication.", effect: .none),
        .init("web.read-timeout", .duration, "5m", "How long a request may take to arrive, and a connection to idle."),
        .init("web.max-connections", .integer, "512", "Connections at one time across all listeners."),
        .init("web.max-notifications-subscribers", .integer, "16", "Subscribers to live notifications.", effect: .none),
        .init(
            "web.external-url", .text, "",
            "The URL under which the server is reached from outside; links in alerts use it. Its path is the route prefix."
        ),
        .init("web.route-prefix", .text, "", "Prefix of all routes. Defaults to the path of --web.external-url."),
        .init("web.user-assets", .text, "", "Static files served under /user.", effect: .none),
        .init("web.enable-lifecycle", .boolean, "false", "Allow shutdown and reload over HTTP."),
        .init("web.enable-admin-api", .boolean, "false", "Allow deletions and snapshots over HTTP."),
        .init("web.enable-remote-write-receiver", .boolean, "false", "Accept remote write requests (version 1.0)."),
        .init(
            "web.remote-write-receiver.accepted-protobuf-messages", .repeated, "prometheus.WriteRequest",
            "Message types that the receiver accepts.", effect: .none),
        .init("web.enable-otlp-receiver", .boolean, "false", "Accept OTLP metrics.", effect: .none),
        .init("web.console.templates", .text, "consoles", "Directory of console templates.", effect: .none),
        .init("web.console.libraries", .text, "console_libraries", "Directory of console libraries.", effect: .none),
        .init(
            "web.page-title", .text, "Hearth", "Title of the web pages."),
        .init("web.cors.origin", .text, ".*", "Regex of allowed CORS origins, fully anchored."),
        .init("web.search.max-limit", .integer, "10000", "Largest limit of the search endpoints.", effect: .none),
    ]

    private static let storage: [FlagDefinition] = [
        .init("storage.tsdb.path", .text, "data/", "Directory of the data."),
        .init(
            "storage.tsdb.retention.time", .duration, "",
            "How long samples are kept. Without this flag and --storage.tsdb.retention.size: 30d and 10GB."),
        .init(
            "storage.tsdb.retention.size", .size, "",
            "Bytes that blocks, WAL and head may take. Units: B, KB, MB, GB, TB, PB, EB, powers of 1024."),
        .init(
            "storage.tsdb.retention.percentage", .real, "",
            "As the size, in hundredths of the disk."),
        .init("storage.tsdb.no-lockfile", .boolean, "false", "Do not lock the data directory.", effect: .none),
        .init(
            "storage.tsdb.head-chunks-write-queue-size", .integer, "0", "Queue of head chunk writes.", effect: .ignored),
        .init(
            "storage.tsdb.delay-compact-file.path", .text, "",
            "JSON file of uploaded blocks: blocks of the first level are merged only when they are listed there."),
        .init(
            "storage.tsdb.min-free-disk", .size, "256MB",
            "With less free disk space samples are refused; with less than twice that blocks are not merged. 0B: never."
        ),
        .init(
            "storage.tsdb.disk-reserve", .size, "64MB",
            "Size of a file that is given up when the disk is full, so that blocks and checkpoints can be finished; a hundredth of the disk at most. 0B: none."
        ),
        .init(
            "storage.tsdb.shed-blocks-older-than", .duration, "0s",
            "When the disk is full delete blocks that are so old, the oldest first, before samples are refused; 1d at least. 0s: never."
        ),
        .init(
            "storage.tsdb.wal-sync-interval", .duration, "1s",
            "How long samples that were taken may wait to be synced to the disk: what a loss of power can cost."),
        .init(
            "storage.tsdb.refuse-damaged-wal", .boolean, "false",
            "Do not start when the WAL is damaged elsewhere than at its end."),
        .init(
            "storage.tsdb.min-block-duration", .duration, "2h", "Range of a block cut from the head.", isHidden: true),
        .init(
            "storage.tsdb.max-block-duration", .duration, "",
            "Longest range of a merged block; a tenth of the retention where it is not given.", isHidden: true),
        .init(
            "storage.tsdb.max-block-chunk-segment-size", .size, "512MB", "Size of a chunk file.", effect: .ignored,
            isHidden: true),
        .init("storage.tsdb.wal-segment-size", .size, "64MB", "Size of a WAL segment.", isHidden: true),
        .init(
            "storage.tsdb.allow-overlapping-compaction", .boolean, "true", "Merge overlapping blocks.",
            effect: .ignored, isHidden: true),
        .init("storage.tsdb.wal-compression", .boolean, "true", "Compress the WAL.", effect: .ignored, isHidden: true),
        .init(
            "storage.tsdb.wal-compression-type", .choice(["snappy", "zstd", "lz4"]), "lz4",
            "Hearth always compresses its WAL with LZ4.", effect: .ignored, isHidden: true),
        .init(
            "storage.tsdb.samples-per-chunk", .integer, "120", "Samples in a chunk.", effect: .ignored, isHidden: true),
        .init(
            "storage.tsdb.delayed-compaction.max-percent", .integer, "10", "Longest delay of a compaction.",
            effect: .ignored, isHidden: true),
        .init(
            "storage.tsdb.block-reload-interval", .duration, "1m", "How often blocks are looked for.", isHidden: true),
        .init(
            "scrape.adjust-timestamps", .boolean, "true", "Snap scrape timestamps to the schedule.", effect: .none,
            isHidden: true),
        .init(
            "scrape.timestamp-tolerance", .duration, "2ms", "How far a timestamp may be snapped.", effect: .none,
            isHidden: true),
        .init(
            "scrape.discovery-reload-interval", .duration, "5s", "How often targets are updated.", effect: .none,
            isHidden: true),
    ]

    private static let agent: [FlagDefinition] = [
        .init("agent", .boolean, "false", "Run in agent mode.", effect: .none),
        .init("storage.agent.path", .text, "data-agent/", "Directory of the agent's data.", effect: .none),
        .init("storage.agent.wal-compression", .boolean, "true", "Compress the agent's WAL.", effect: .ignored),
        .init("storage.agent.retention.min-time", .duration, "5m", "Shortest time in the agent's WAL.", effect: .none),
        .init("storage.agent.retention.max-time", .duration, "4h", "Longest time in the agent's WAL.", effect: .none),
        .init("storage.agent.no-lockfile", .boolean, "false", "Do not lock the agent's directory.", effect: .none),
        .init(
            "storage.agent.checkpoint-from-in-memory-series", .boolean, "false", "Checkpoint from memory.",
            effect: .ignored),
        .init(
            "storage.agent.checkpoint-batch-size", .integer, "1000", "Series in a checkpoint record.", effect: .ignored),
        .init(
            "storage.agent.wal-segment-size", .size, "128MB", "Size of a WAL segment.", effect: .ignored, isHidden: true
        ),
        .init(
            "storage.agent.wal-truncate-frequency", .duration, "2h", "How often the WAL is truncated.",
            effect: .ignored, isHidden: true),
        .init(
            "storage.agent.wal-compression-type", .text, "snappy", "Algorithm of the agent's WAL.", effect: .ignored,
            isHidden: true),
    ]

    private static let remote: [FlagDefinition] = [
        .init(
            "storage.remote.log-size", .size, "1GB",
            "What may be kept of the WAL, for two hours at most, only as remote write has not sent it. 0B: nothing."),
        .init("storage.remote.flush-deadline", .duration, "1m", "How long stopping may take to send what waits."),
        .init(
            "storage.remote.read-sample-limit", .integer, "50000000", "Samples in one remote read answer.",
            effect: .none),
        .init("storage.remote.read-concurrent-limit", .integer, "10", "Remote reads at one time.", effect: .none),
        .init(
            "storage.remote.read-max-bytes-in-frame", .integer, "1048576", "Bytes of a remote read frame.",
            effect: .none),
    ]

    private static let rules: [FlagDefinition] = [
        .init(
            "rules.alert.for-outage-tolerance", .duration, "1h", "Longest outage after which `for` state is restored."),
        .init("rules.alert.for-grace-period", .duration, "10m", "Shortest `for` whose state is restored."),
        .init("rules.alert.resend-delay", .duration, "1m", "Shortest time between two sendings of a firing alert."),
        .init("rules.max-concurrent-evals", .integer, "4", "Independent rules evaluated at one time.", effect: .none),
    ]

    private static let alertmanager: [FlagDefinition] = [
        .init(
            "alertmanager.notification-queue-capacity", .integer, "10000", "Alerts that may wait for an Alertmanager."),
        .init("alertmanager.notification-batch-size", .integer, "256", "Alerts sent in one request."),
        .init(
            "alertmanager.drain-notification-queue-on-shutdown", .boolean, "true", "Send what waits before stopping."),
    ]

    private static let query: [FlagDefinition] = [
        .init("query.lookback-delta", .duration, "5m", "How long a sample stands for its series."),
        .init("query.timeout", .duration, "2m", "How long a query may take, waiting included."),
        .init("query.max-concurrency", .integer, "20", "Queries evaluated at one time."),
        .init("query.max-samples", .integer, "50000000", "Samples that a query may hold in memory."),
        .init(
            "query.max-memory", .size, "",
            "Bytes that a query may hold in memory, 0 for any number. Defaults to a quarter of the memory."),
        .init(
            "query.log-file", .text, "",
            "File to which queries are logged where the configuration has no query_log_file."),
    ]

    private static let common: [FlagDefinition] = [
        .init("enable-feature", .repeated, "", "Comma-separated feature names to enable. Can be repeated."),
        .init("auto-gomaxprocs", .boolean, "true", "Has no meaning here.", effect: .ignored),
        .init("auto-gomemlimit", .boolean, "true", "Has no meaning here.", effect: .ignored),
        .init("auto-gomemlimit.ratio", .real, "0.9", "Has no meaning here.", effect: .ignored),
        .init(
            "auto-gomemlimit.refresh-interval", .duration, "0s", "Has no meaning here.", effect: .ignored,
            isHidden: true),
        .init(
            "log.level", .choice(["debug", "info", "warn", "error"]), "info", "Only messages of this level and above."),
        .init("log.format", .choice(["logfmt", "json"]), "logfmt", "Form of the log lines."),
    ]
}
