import ConfigTree
import PromQLSyntax
import SeriesModel
package import TSDB

/// The section `storage`: what of the store can be changed by a reload. What it says beats the flags.
package struct StorageSection: Sendable {
    /// ms; nil where the file does not say.
    package var retentionTime: Int64?
    /// Bytes.
    package var retentionSize: Int64?
    /// Of the disk, in hundredths.
    package var retentionPercentage: Double?
    /// Whether the file says anything about how long samples are kept.
    package var hasRetention = false
    package var retentionRules: [StorageSettings.RetentionRule] = []
    private var ruleTexts: [(match: [String], keep: Int64)] = []
    /// ms
    package var outOfOrderWindow: Int64 = 0
    private var staleSeriesThreshold: Double?
    private var floatEncoding: String?
    /// How many exemplars are held; nil where the file does not say.
    package var exemplarsMax: Int?
    /// Keys that have no effect here.
    package private(set) var warnings: [String] = []

    init() {}

    init(_ node: ConfigNode?) throws(ConfigError) {
        guard let node else { return }
        var section = try node.section("config.plain")
        if let node = section.take("tsdb") {
            var tsdb = try node.section("config.plain")
            try take(&tsdb)
            try tsdb.finish()
        }
        if let node = section.take("exemplars") {
            var exemplars = try node.section("config.plain")
            exemplarsMax = try exemplars.int("max_exemplars")
            try exemplars.finish()
        }
        try section.finish()
    }

    private mutating func take(_ tsdb: inout ConfigSection) throws(ConfigError) {
        outOfOrderWindow = try tsdb.duration("out_of_order_time_window") ?? 0
        if let node = tsdb.take("stale_series_compaction_threshold") {
            let threshold = try node.double()
            guard threshold >= 0, threshold <= 1 else {
                throw node.error("'storage.tsdb.stale_series_compaction_threshold' must be in the range [0, 1]")
            }
            staleSeriesThreshold = threshold
            warnings.append(
                "storage.tsdb.stale_series_compaction_threshold has no effect: stale series leave memory as they are")
        }
        if let node = tsdb.take("chunk_encoding") {
            var encoding = try node.section("config.plain")
            if let node = encoding.take("floats") {
                let name = try node.string()
                guard name == "xor" || name == "xor2" else {
                    throw node.error(
                        "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted "
                            + "entirely, got \(GoQuote.quote(name))")
                }
                floatEncoding = name
            }
            try encoding.finish()
        }
        if let node = tsdb.take("retention") {
            var retention = try node.section("config.plain")
            try takeRetention(&retention)
            try retention.finish()
        }
        for node in try tsdb.sequence("retention_rules") ?? [] { try takeRule(node) }
    }

    private mutating func takeRetention(_ retention: inout ConfigSection) throws(ConfigError) {
        hasRetention = true
        retentionTime = try retention.duration("time").flatMap { $0 > 0 ? $0 : nil }
        if let node = retention.take("size") {
            if try node.string().utf8.first == UInt8(ascii: "-") {
                throw node.error("'storage.tsdb.retention.size' must be greater than or equal to 0")
            }
            let size = try node.size()
            retentionSize = size > 0 ? size : nil
        }
        if let node = retention.take("percentage") {
            let percentage = try node.double()
            guard percentage >= 0, percentage <= 100 else {
                throw node.error("'storage.tsdb.retention.percentage' must be in the range [0, 100]")
            }
            retentionPercentage = percentage > 0 ? percentage : nil
        }
    }

    private mutating func takeRule(_ node: ConfigNode) throws(ConfigError) {
        var rule = try node.section("config.plain")
        var match: [[LabelMatcher]] = []
        var texts: [String] = []
        for selector in try rule.sequence("match") ?? [] {
            let text = try selector.string()
            do throws(ParseError) {
                match.append(try Parser.parseSelector(text))
            } catch {
                throw selector.error("'storage.tsdb.retention_rules.match': \(error)")
            }
            texts.append(text)
        }
        guard !match.isEmpty else { throw node.error("'storage.tsdb.retention_rules.match' must name a selector") }
        guard let keep = try rule.duration("keep"), keep > 0 else {
            throw node.error("'storage.tsdb.retention_rules.keep' must be greater than 0")
        }
        try rule.finish()
        retentionRules.append(.init(match: match, keep: keep))
        ruleTexts.append((texts, keep))
    }

    private static func number(_ value: Double) -> ConfigOutput {
        if let whole = Int64(exactly: value) { return .number(whole) }
        return .plain("\(value)")
    }

    /// Nil where nothing of it was written.
    var output: ConfigOutput? {
        var tsdb: [(key: String, value: ConfigOutput)] = []
        if outOfOrderWindow > 0 {
            tsdb.append(("out_of_order_time_window", .plain(DurationText.format(outOfOrderWindow))))
        }
        if let staleSeriesThreshold {
            tsdb.append(("stale_series_compaction_threshold", StorageSection.number(staleSeriesThreshold)))
        }
        if let floatEncoding { tsdb.append(("chunk_encoding", .mapping([("floats", .text(floatEncoding))]))) }
        if hasRetention {
            var retention: [(key: String, value: ConfigOutput)] = []
            if let retentionTime { retention.append(("time", .plain(DurationText.format(retentionTime)))) }
            if let retentionSize { retention.append(("size", .plain(ByteSize.format(retentionSize)))) }
            if let retentionPercentage {
                retention.append(("percentage", StorageSection.number(retentionPercentage)))
            }
            tsdb.append(("retention", .mapping(retention)))
        }
        if !ruleTexts.isEmpty {
            let rules = ruleTexts.map { rule -> ConfigOutput in
                .mapping([
                    ("match", .list(rule.match.map { .text($0) })), ("keep", .plain(DurationText.format(rule.keep))),
                ])
            }
            tsdb.append(("retention_rules", .list(rules)))
        }
        var entries: [(key: String, value: ConfigOutput)] = []
        if !tsdb.isEmpty { entries.append(("tsdb", .mapping(tsdb))) }
        if let exemplarsMax { entries.append(("exemplars", .mapping([("max_exemplars", .number(exemplarsMax))]))) }
        return entries.isEmpty ? nil : .mapping(entries)
    }

    /// What flags and a configuration file say of the store, for tools that look at a directory without a server.
    /// - Parameters:
    ///   - arguments: flags of the server.
    ///   - configFile: nil for none.
    package static func settings(_ arguments: [String], configFile: String?) throws -> StorageSettings {
        let options = try ServerOptions(try FlagValues(arguments))
        guard let configFile else { return try options.storage(StorageSection()) }
        return try options.storage(try ServerConfig.load(path: configFile, syntax: options.syntax).storage)
    }
}
