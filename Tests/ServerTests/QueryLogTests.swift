import FileIO
import PromQLEngine
import SelfMetrics
import SeriesModel
import TestSupport
import Testing

@testable import Server

@Suite("The query log")
struct QueryLogTests {
    private let registry = MetricsRegistry()
    private let log = RecordingLog()
    private let files = SimulatedFileSystem()
    private let queryLog: QueryLog

    init() {
        queryLog = QueryLog(
            clock: ManualClock(now: 1_700_000_000_050), registry: registry, logger: log.logger, files: files)
    }

    private func metric(_ name: String) -> String? {
        registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { $0.split(separator: " ").last }.map(String.init)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try files.read(path, limit: 1 << 24), as: UTF8.self)
    }

    private static let figures =
        #""stats":{"timings":{"evalTotalTime":0,"resultSortTime":0,"queryPreparationTime":0,"innerEvalTime":0,"#
        + #""execQueueTime":0,"execTotalTime":0},"#
        + #""samples":{"totalQueryableSamples":0,"peakSamples":0,"samplesRead":0}}"#
    private static let head =
        #"{"time":"2023-11-14T22:13:20.050Z","ts":"2023-11-14T22:13:20.050Z","level":"INFO","#
        + #""msg":"promql query logged","params":"#

    @Test("a line has the parameters, the figures, and who asked")
    func line() throws {
        queryLog.use(try queryLog.open("/q.log"))
        #expect(metric("prometheus_engine_query_log_enabled") == "1")
        queryLog.add(
            QueryRecord(
                text: "up > \"a\"", start: 1_700_000_000_000, end: 1_700_000_060_001, step: 15_000,
                origin: .request(clientAddress: "127.0.0.1", method: "GET", path: "/api/v1/query_range")))
        var failed = QueryRecord(
            text: "x", start: 0, end: 0, step: 0, origin: .ruleGroup(file: "/r.yml", name: "g"))
        failed.error = .timeout("query timed out in query queue")
        queryLog.add(failed)
        queryLog.flush()
        #expect(
            try text("/q.log")
                == Self.head
                + #"{"end":"2023-11-14T22:14:20.001Z","query":"up > \"a\"","start":"2023-11-14T22:13:20.000Z","step":15},"#
                + Self.figures
                + #","httpRequest":{"clientIP":"127.0.0.1","method":"GET","path":"/api/v1/query_range"}}"# + "\n"
                + Self.head
                + #"{"end":"1970-01-01T00:00:00.000Z","query":"x","start":"1970-01-01T00:00:00.000Z","step":0},"#
                + #""error":"query timed out in query queue","# + Self.figures
                + #","ruleGroup":{"file":"/r.yml","name":"g"}}"# + "\n")
        #expect(metric("prometheus_engine_query_log_failures_total") == "0")
    }

    private func record(_ text: String) -> QueryRecord {
        QueryRecord(text: text, start: 0, end: 0, step: 0)
    }

    /// The queries in a log.
    private func queries(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n").compactMap { $0.firstMatch(of: #/"query":"([^"]*)"/#)?.1 }
    }

    @Test("off until it is switched on, moved to another file, and switched off: each line goes where it belongs")
    func switching() throws {
        queryLog.add(record("none"))
        #expect(metric("prometheus_engine_query_log_enabled") == "0")
        queryLog.use(try queryLog.open("/a"))
        queryLog.add(record("one"))
        queryLog.use(try queryLog.open("/b"))
        queryLog.add(record("two"))
        queryLog.use(try queryLog.open(""))
        queryLog.add(record("three"))
        #expect(metric("prometheus_engine_query_log_enabled") == "0")
        queryLog.use(try queryLog.open("/a"))
        queryLog.add(record("four"))
        queryLog.close()
        queryLog.add(record("five"))
        #expect(try queries("/a") == ["one", "four"])
        #expect(try queries("/b") == ["two"])
        #expect(metric("prometheus_engine_query_log_failures_total") == "0")
    }

    @Test("a file that was moved away is left alone once the configuration is loaded again")
    func rotation() throws {
        queryLog.use(try queryLog.open("/q"))
        queryLog.add(record("one"))
        queryLog.flush()
        try files.rename("/q", to: "/q.1")
        queryLog.use(try queryLog.open("/q"))
        queryLog.add(record("two"))
        queryLog.flush()
        #expect(try queries("/q.1") == ["one"])
        #expect(try queries("/q") == ["two"])
    }

    @Test("lines that cannot be written are counted and told of once; the next one is tried again")
    func failure() throws {
        queryLog.use(try queryLog.open("/q"))
        files.failWrite(0)
        queryLog.add(record("lost"))
        queryLog.flush()
        queryLog.add(record("kept"))
        queryLog.flush()
        #expect(try queries("/q") == ["kept"])
        #expect(metric("prometheus_engine_query_log_failures_total") == "1")
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("can't log query err=") == true)
    }

    @Test("more than can wait is dropped and counted: a query never waits for the log")
    func bound() throws {
        let small = QueryLog(
            clock: ManualClock(now: 0), registry: registry, logger: log.logger, files: files, pendingBytesMax: 1000)
        small.use(try small.open("/q"))
        small.add(record(String(repeating: "a", count: 1001)))
        small.add(record("kept"))
        small.close()
        #expect(try queries("/q") == ["kept"])
        #expect(metric("prometheus_engine_query_log_failures_total") == "1")
    }
}
