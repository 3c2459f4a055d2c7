import ConfigTree
import PromQLSyntax
import TSDB
import Testing

@testable import Server

@Suite("The section storage of the configuration file")
struct StorageSectionTests {
    private func config(_ text: String) throws -> ServerConfig {
        try ServerConfig(text: text, path: "/etc/hearth.yml", syntax: ParserOptions())
    }

    private static let whole = """
        storage:
          tsdb:
            out_of_order_time_window: 30m
            retention:
              time: 1d
              size: 1GB
              percentage: 0.5
            retention_rules:
              - match: ['up{job="a"}', '{job="b"}']
                keep: 6h
        """

    @Test("sets retention, its rules and the window for samples out of order")
    func all() throws {
        let storage = try config(Self.whole).storage
        #expect(storage.outOfOrderWindow == 30 * 60_000)
        #expect(storage.retentionTime == 86_400_000)
        #expect(storage.retentionSize == 1 << 30)
        #expect(storage.retentionPercentage == 0.5)
        #expect(storage.retentionRules.map(\.keep) == [6 * 3_600_000])
        #expect(storage.retentionRules.first?.match.count == 2)
    }

    @Test("is written out again as it was meant")
    func output() throws {
        let yaml = try config(Self.whole).yaml
        #expect(yaml.contains("storage:\n  tsdb:\n    out_of_order_time_window: 30m\n"))
        #expect(yaml.contains("retention:\n      time: 1d\n      size: 1GiB\n      percentage: 0.5\n"))
        let again = try config(yaml).storage
        #expect(again.retentionRules.map(\.keep) == [6 * 3_600_000])
        #expect(try config(Self.whole).yaml == config(yaml).yaml)
    }

    @Test(
        "is refused with the place and the reason",
        arguments: [
            ("retention: {percentage: 101}", "'storage.tsdb.retention.percentage' must be in the range [0, 100]"),
            ("retention: {percentage: -1}", "'storage.tsdb.retention.percentage' must be in the range [0, 100]"),
            ("retention: {size: -1GB}", "'storage.tsdb.retention.size' must be greater than or equal to 0"),
            ("retention: {time: -1h}", "not a valid duration string"),
            ("retention: {tim: 1h}", "field tim not found"),
            ("chunk_encoding: {floats: XOR2}", "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2'"),
            ("retention_rules: [{match: [], keep: 1h}]", "must name a selector"),
            ("retention_rules: [{match: ['{'], keep: 1h}]", "storage.tsdb.retention_rules.match"),
            ("retention_rules: [{match: ['up']}]", "'storage.tsdb.retention_rules.keep' must be greater than 0"),
        ])
    func refused(tsdb: String, message: String) throws {
        #expect {
            _ = try config("storage:\n  tsdb:\n    \(tsdb)\n")
        } throws: { error in
            let text = "\(error)"
            return text.contains(message) && text.contains("/etc/hearth.yml") && text.contains("line 3")
        }
    }

    @Test("beats the flags key by key; what neither says has no limit")
    func flags() throws {
        let storage = try config("storage: {tsdb: {retention: {time: 2h}}}").storage
        let options = try ServerOptions(
            try FlagValues(["--storage.tsdb.retention.time=1d", "--storage.tsdb.retention.size=2GB"]))
        let settings = try options.storage(storage)
        let twoHours: Int64 = 2 * 3_600_000
        #expect(settings.retentionTime == twoHours)
        #expect(settings.retentionSize == 2 << 30)
        let alone = try ServerOptions(try FlagValues([])).storage(storage)
        #expect(alone.retentionTime == twoHours)
        #expect(alone.retentionSize == nil)
    }
}
