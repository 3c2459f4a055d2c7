import FileIO
import Logging
import NIOPosix
import OutboundHTTP
import TestSupport
import Testing

@testable import Server

@Suite("The running server", .serialized)
struct RunningServerTests {
    private let directory: TemporaryDirectory
    private let log = RecordingLog()

    init() throws { directory = try TemporaryDirectory() }

    /// Runs a server on a free port, with `p.yml` as its configuration.
    private func run(
        _ arguments: [String] = [],
        _ body: (RunningServer, _ query: (String) async throws -> String) async throws -> Void
    ) async throws {
        let flags = try FlagValues(
            [
                "--config.file=\(directory("p.yml"))", "--storage.tsdb.path=\(directory("data"))",
                "--web.listen-address=127.0.0.1:0",
            ] + arguments)
        let server = try await RunningServer(flags: flags, logger: log.logger, signals: SignalWatch([]))
        let base = try #require(base)
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let outcome: Result<Void, any Error>
        do {
            try await body(server) { target in
                let response = try await transport.send(OutboundRequest(.get, base + target, timeout: 20_000))
                return String(decoding: response.body, as: UTF8.self)
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await transport.shutdown()
        await server.stop()
        try outcome.get()
    }

    /// Of the server that began last.
    private var base: String? {
        log.lines.last { $0.hasPrefix("listening addresses=") }.map {
            "http://" + $0.dropFirst("listening addresses=".count)
        }
    }

    private func post(_ target: String, _ body: [UInt8]) async throws -> Int {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let outcome: Result<Int, any Error>
        do {
            let request = OutboundRequest(
                .post, try #require(base) + target, headers: [("Content-Encoding", "snappy")], body: body,
                timeout: 20_000)
            outcome = .success(try await transport.send(request).status)
        } catch {
            outcome = .failure(error)
        }
        await transport.shutdown()
        return try outcome.get()
    }

    private static let subquery = "/api/v1/query?time=600&query=count_over_time(vector(1)%5B10m:%5D)"

    @Test("loading the configuration anew moves the query log and the default step of subqueries, or changes nothing")
    func reload() async throws {
        try directory.write("p.yml", "global: {evaluation_interval: 1m, query_log_file: a.log}\n")
        try await run { server, query in
            #expect(try await query(Self.subquery).contains(#""value":[600,"10"]"#))
            try directory.write("p.yml", "global: {evaluation_interval: 30s, query_log_file: none/c.log}\n")
            await #expect(throws: (any Error).self) { try await server.reload() }
            #expect(try await query(Self.subquery).contains(#""value":[600,"10"]"#))
            try directory.write("p.yml", "global: {evaluation_interval: 30s, query_log_file: b.log}\n")
            try await server.reload()
            #expect(try await query(Self.subquery).contains(#""value":[600,"20"]"#))
            #expect(try await query("/metrics").contains("\nprometheus_engine_query_log_enabled 1\n"))
            try directory.write("p.yml", "")
            try await server.reload()
            _ = try await query(Self.subquery)
            #expect(try await query("/metrics").contains("\nprometheus_engine_query_log_enabled 0\n"))
        }
        let origin = #""httpRequest":{"clientIP":"127.0.0.1","method":"GET","path":"/api/v1/query"}}"#
        let lines = try directory.read("a.log").split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines.allSatisfy { $0.hasSuffix(origin) && $0.contains("\"query\":\"count_over_time(vector(1)[10m:])\"") })
        #expect(try directory.read("b.log").split(separator: "\n").count == 1)
    }

    /// A remote write of `up` = 1 at 1,700,000,000 s, with an exemplar of `a="b"`, 0.5, a quarter of a second later.
    private static let write: [UInt8] = [
        0x3E, 0xF0, 0x3D, 0x0A, 0x3C, 0x0A, 0x0E, 0x0A, 0x08, 0x5F, 0x5F, 0x6E, 0x61, 0x6D, 0x65, 0x5F, 0x5F, 0x12,
        0x02, 0x75, 0x70, 0x12, 0x10, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xF0, 0x3F, 0x10, 0x80, 0xD0, 0x95,
        0xFF, 0xBC, 0x31, 0x1A, 0x18, 0x0A, 0x06, 0x0A, 0x01, 0x61, 0x12, 0x01, 0x62, 0x11, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0xE0, 0x3F, 0x18, 0xFA, 0xD1, 0x95, 0xFF, 0xBC, 0x31,
    ]

    @Test("exemplars come by remote write, outlive the process, and are as many as the configuration says")
    func exemplars() async throws {
        let configuration = "storage: {exemplars: {max_exemplars: 10}}\n"
        try directory.write("p.yml", configuration)
        let target = "/api/v1/query_exemplars?start=1700000000&end=1700000001&query=sum(rate(up%5B1m%5D))"
        let answer =
            #"{"status":"success","data":[{"seriesLabels":{"__name__":"up"},"#
            + #""exemplars":[{"labels":{"a":"b"},"value":"0.5","timestamp":1700000000.250}]}]}"#
        let none = #"{"status":"success","data":[]}"#
        let feature = "--enable-feature=exemplar-storage"
        try await run([feature, "--web.enable-remote-write-receiver"]) { _, query in
            let before = try await query(target)
            #expect(before == none)
            #expect(try await post("/api/v1/write", Self.write) == 204)
            #expect(try await query(target) == answer)
            #expect(try await query("/metrics").contains("\nprometheus_tsdb_exemplar_max_exemplars 10\n"))
        }
        try await run([feature]) { server, query in
            #expect(try await query(target) == answer)
            try directory.write("p.yml", "storage: {exemplars: {max_exemplars: 0}}\n")
            try await server.reload()
            #expect(try await query(target) == none)
        }
        try directory.write("p.yml", configuration)
        try await run { _, query in
            let after = try await query(target)
            #expect(after == none)
            #expect(try await query("/metrics").contains("\nprometheus_tsdb_exemplar_max_exemplars 0\n"))
        }
        let warning = "storage.exemplars.max_exemplars has no effect without --enable-feature=exemplar-storage"
        #expect(log.lines.filter { $0.hasPrefix(warning) }.count == 1)
    }

    @Test("with --config.auto-reload a change of the file is taken up by itself, a mistake is not")
    func autoReload() async throws {
        try directory.write("p.yml", "rule_files: [r.yml]\n")
        try await run(["--config.auto-reload", "--config.auto-reload-interval=10ms"]) { _, query in
            func shows(_ text: String, _ path: String) async throws -> Bool {
                for _ in 0..<200 {
                    if try await query(path).contains(text) { return true }
                    try await Task.sleep(for: .milliseconds(100))
                }
                return false
            }
            try directory.write("r.yml", "groups: [{name: added, rules: [{record: a, expr: '1'}]}]\n")
            let isAdded = try await shows("\"added\"", "/api/v1/rules")
            #expect(isAdded)
            try directory.write("r.yml", "groups: [{name: nonsense, odd: 1}]\n")
            #expect(try await shows("\nprometheus_config_last_reload_successful 0\n", "/metrics"))
            #expect(try await query("/api/v1/rules").contains("\"added\""))
            try directory.write("r.yml", "groups: [{name: added, rules: [{record: a, expr: '1'}]}]\n")
            #expect(try await shows("\nprometheus_config_last_reload_successful 1\n", "/metrics"))
            try directory.write("p.yml", "rule_files: [\n")
            #expect(try await shows("\nprometheus_config_last_reload_successful 0\n", "/metrics"))
            try directory.write("p.yml", "rule_files: [r.yml]\n")
            try directory.write("r.yml", "groups: []\n")
            #expect(try await shows("\nprometheus_config_last_reload_successful 1\n", "/metrics"))
            #expect(try await !query("/api/v1/rules").contains("\"added\""))
        }
        #expect(log.lines.contains("Configuration file change detected, reloading the configuration."))
    }

    @Test("a section that is not served keeps the server from starting, and is told with its place")
    func unserved() async throws {
        try directory.write("p.yml", "\nremote_read: [{url: 'http://a/'}]\n")
        let error = await #expect(throws: ConfigLoadError.self) { try await run { _, _ in } }
        #expect(
            error?.description == "\(directory("p.yml")):2:14: \"remote_read\" is not supported by Hearth yet")
    }

    @Test("failed scrapes are in the file that the configuration names")
    func scrapeFailures() async throws {
        try directory.write(
            "p.yml",
            """
            global: {scrape_interval: 1s, scrape_failure_log_file: failed.log}
            scrape_configs: [{job_name: j, static_configs: [{targets: ['127.0.0.1:1']}]}]
            """)
        try await run { _, query in
            for _ in 0..<200 {
                if try await query("/api/v1/targets").contains("\"health\":\"down\"") { break }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let line = try #require(try directory.read("failed.log").split(separator: "\n").first)
        #expect(line.hasSuffix("\"job_name\":\"j\",\"target\":\"http://127.0.0.1:1/metrics\"}"))
        #expect(line.contains("connection refused"))
    }

    @Test("the file of active queries is in the data directory, and what it holds is told at the start")
    func activeQueries() async throws {
        try directory.write("p.yml", "")
        try PosixFileSystem().createDirectory(directory("data"))
        try directory.write(
            "data/queries.active", "[" + #"{"query":"sum(x)","timestamp_sec":1700000000}"# + "\0\0,\0\0\0,")
        try await run(["--query.log-file=\(directory("q.log"))", "--web.route-prefix=/p"]) { _, query in
            _ = try await query("/p/api/v1/query?query=1")
        }
        #expect(
            log.lines.contains {
                $0.hasPrefix("These queries didn't finish in prometheus' last run:") && $0.contains("sum(x)")
            })
        let left = try PosixFileSystem().read(directory("data/queries.active"), limit: 1 << 20)
        #expect(left.count == 20_001)
        #expect(left.filter { $0 != 0 } == [UInt8(ascii: "[")])
        #expect(try directory.read("q.log").contains(#""path":"/p/api/v1/query""#))
    }

    @Test("a query log that cannot be written to keeps the server from starting")
    func badLog() async throws {
        try directory.write("p.yml", "global: {query_log_file: none/q.log}\n")
        await #expect(throws: FileError.self) { try await run { _, _ in } }
    }
}
