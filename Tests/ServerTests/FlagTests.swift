import SelfMetrics
import TSDB
import TestSupport
import Testing

@testable import Server

@Suite struct FlagTests {
    @Test("values follow a blank or an equals sign, booleans take --x, --no-x and --x=false")
    func forms() throws {
        let flags = try FlagValues([
            "--config.file", "a.yml", "--storage.tsdb.path=b/", "--web.enable-lifecycle",
            "--no-alertmanager.drain-notification-queue-on-shutdown", "--web.enable-admin-api=false",
        ])
        #expect(flags.string("config.file") == "a.yml")
        #expect(flags.string("storage.tsdb.path") == "b/")
        #expect(flags.bool("web.enable-lifecycle"))
        #expect(!flags.bool("alertmanager.drain-notification-queue-on-shutdown"))
        #expect(!flags.bool("web.enable-admin-api"))
    }

    @Test(
        "what is wrong with a command line is an error",
        arguments: [
            (["--no.such.flag"], "unknown long flag '--no.such.flag'"),
            (["--config.file"], "expected argument for flag '--config.file'"),
            (["--config.file=a", "--config.file=b"], "flag 'config.file' cannot be repeated"),
            (["--query.timeout=fast"], "invalid value 'fast' for flag '--query.timeout'"),
            (["--query.max-samples=-1"], "invalid value '-1' for flag '--query.max-samples'"),
            (
                ["--storage.tsdb.retention.size=10 apples"],
                "invalid value '10 apples' for flag '--storage.tsdb.retention.size'"
            ),
            (["--log.level=loud"], "enum value must be one of debug,info,warn,error, got 'loud'"),
            (["prometheus.yml"], "unexpected prometheus.yml"),
        ])
    func errors(arguments: [String], message: String) {
        #expect(throws: FlagValues.UsageError(description: message)) { try FlagValues(arguments) }
    }

    @Test("status/flags shows every flag of the table with its value or default")
    func all() throws {
        let flags = try FlagValues(["--web.listen-address=:1", "--web.listen-address=:2"])
        let shown = Dictionary(uniqueKeysWithValues: flags.all.map { ($0.name, $0.value) })
        #expect(shown.count == FlagTable.all.count)
        #expect(shown["web.listen-address"] == ":1,:2")
        #expect(shown["query.lookback-delta"] == "5m")
        #expect(flags.strings("web.listen-address") == [":1", ":2"])
    }

    @Test("defaults have the form that their flag asks for")
    func defaults() throws {
        for flag in FlagTable.all where !flag.defaultValue.isEmpty {
            let argument = "--\(flag.name)=\(flag.defaultValue)"
            #expect(throws: Never.self) { try FlagValues([argument]) }
        }
    }

    @Test("a flag or feature without an effect yet warns, an unknown feature too, the others do not")
    func warnings() throws {
        let flags = try FlagValues([
            "--web.enable-otlp-receiver", "--query.timeout=1m",
            "--enable-feature=promql-experimental-functions,old-ui",
            "--enable-feature=no-such,utf8-names,exemplar-storage",
        ])
        #expect(
            flags.warnings == [
                "flag --web.enable-otlp-receiver has no effect yet", "feature old-ui has no effect yet",
                "unknown option no-such for --enable-feature",
            ])
    }

    @Test("help names every flag that is not hidden")
    func help() {
        for flag in FlagTable.all where !flag.isHidden { #expect(FlagTable.help.contains(flag.name)) }
    }

    @Test(
        "30 days and 10 GB hold only where no retention is named",
        arguments: [
            ([], 30 * 86_400_000, 10 << 30), (["--storage.tsdb.retention.time=7d"], 7 * 86_400_000, nil),
            (["--storage.tsdb.retention.size=1GB"], nil, 1 << 30),
            (["--storage.tsdb.retention.time=1d", "--storage.tsdb.retention.size=1MB"], 86_400_000, 1 << 20),
        ] as [([String], Int64?, Int64?)])
    func retention(arguments: [String], time: Int64?, size: Int64?) throws {
        let settings = try StorageSection.settings(arguments, configFile: nil)
        #expect(settings.retentionTime == time)
        #expect(settings.retentionSize == size)
    }

    @Test("blocks are shed only where a flag says so, none that is younger than a day, and the disk has a reserve")
    func fullDisk() throws {
        let directory = try TemporaryDirectory()
        try directory.write("p.yml", "global: {}")
        func store(_ arguments: [String]) throws -> TSDBOptions {
            let options = try ServerOptions(try FlagValues(arguments))
            let config = try ServerConfig.load(path: directory("p.yml"), syntax: options.syntax)
            return try options.store(config, RecordingLog().logger, MetricsRegistry())
        }
        let plain = try store([])
        #expect(plain.shedBlocksOlderThan == nil)
        #expect(plain.diskReserve == 64 << 20)
        let given = try store(["--storage.tsdb.shed-blocks-older-than=2d", "--storage.tsdb.disk-reserve=0B"])
        #expect(given.shedBlocksOlderThan == 172_800_000)
        #expect(given.diskReserve == 0)
        #expect(plain.heldLogBytesMax == 1 << 30)
        #expect(try store(["--storage.remote.log-size=5MB"]).heldLogBytesMax == 5 << 20)
        #expect(throws: FlagValues.UsageError.self) { try store(["--storage.tsdb.shed-blocks-older-than=23h"]) }
    }

    @Test(
        "with the feature 100,000 exemplars are held, or as many as the file says; without it none",
        arguments: [
            ("global: {}", 100_000), ("storage: {exemplars: {max_exemplars: 5}}", 5),
            ("storage: {exemplars: {max_exemplars: 0}}", 0), ("storage: {exemplars: {max_exemplars: -1}}", 0),
            ("storage: {exemplars: {}}", 100_000),
        ])
    func exemplars(text: String, count: Int) throws {
        let directory = try TemporaryDirectory()
        try directory.write("p.yml", text)
        let file = directory("p.yml")
        let feature = "--enable-feature=exemplar-storage"
        #expect(try StorageSection.settings([feature], configFile: file).exemplarsMax == count)
        #expect(try StorageSection.settings([], configFile: file).exemplarsMax == 0)
    }

    @Test("a number of exemplars without the feature is warned of")
    func exemplarsWithoutFeature() throws {
        let directory = try TemporaryDirectory()
        try directory.write("p.yml", "storage: {exemplars: {max_exemplars: 5}}")
        let without = try ServerOptions(try FlagValues([]))
        let section = try ServerConfig.load(path: directory("p.yml"), syntax: without.syntax).storage
        #expect(
            without.warnings(of: section) == [
                "storage.exemplars.max_exemplars has no effect without --enable-feature=exemplar-storage"
            ])
        let with = try ServerOptions(try FlagValues(["--enable-feature=a,exemplar-storage"]))
        #expect(with.warnings(of: section).isEmpty)
        #expect(without.warnings(of: StorageSection()).isEmpty)
    }

    @Test(
        "the external URL is completed and taken apart",
        arguments: [
            ("", "http://box:9090", ""), ("http://example.com/prom/", "http://example.com/prom", "/prom"),
            ("/prom", "http://box:9090/prom", "/prom"), ("https://a:1", "https://a:1", ""),
        ])
    func externalURL(text: String, whole: String, path: String) throws {
        let url = try #require(ExternalURL(text, hostName: "box", listenPort: 9090))
        #expect(url.text == whole)
        #expect(url.path == path)
    }

    @Test(
        "what is no external URL is refused",
        arguments: ["ftp://a", "example.com", "http://", "http://a:99999", "http://a/?b"])
    func badExternalURL(text: String) {
        #expect(ExternalURL(text, hostName: "box", listenPort: 9090) == nil)
    }
}
