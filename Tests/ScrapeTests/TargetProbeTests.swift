import NIOPosix
import OutboundHTTP
import SeriesModel
import TestSupport
import Testing

@testable import Scrape

@Suite("Probing a target")
struct TargetProbeTests {
    private func probe(
        _ reply: LoopbackServer.Reply, _ config: ScrapeConfig = ScrapeConfig(jobName: "probe"), path: String = "",
        labels: LabelSet = .empty
    ) async throws -> ProbeReport {
        let server = try await LoopbackServer.start { _ in reply }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let address = try ProbeAddress("127.0.0.1:\(server.port)" + path)
        let report = await TargetProbe(address, config: config, transport: transport).run(labels: labels)
        await transport.shutdown()
        await server.stop()
        return report
    }

    private func text(_ body: String, type: String = "text/plain; version=0.0.4") -> LoopbackServer.Reply {
        .answer(headers: ["content-type": type, "x-node": "a\tb"], body: Array(body.utf8))
    }

    @Test("A good answer is shown from its headers to its samples")
    func good() async throws {
        let report = try await probe(
            text("# HELP a Text.\n# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 2 1700000000000\na{x=\"1\"} 3\n"))
        #expect(report.isGood)
        let wanted = [
            "Job probe", "    __metrics_path__=\"/metrics\"", "    job=\"probe\"", "  status 200 OK",
            "  x-node: a\\tb", "Read as PrometheusText1.0.0", "  samples 3, stored 3 as 2 series",
            "  metric names 1, families declared 1", "  samples twice 1", "  samples with their own time 1",
            "SUCCESS: this scrape would be stored",
        ]
        let lines = report.text.split(separator: "\n").map(String.init)
        for line in wanted { #expect(lines.contains(line), "\(line) in \(report.text)") }
        #expect(lines.contains { $0.hasPrefix("  answered in ") && $0.hasSuffix(" ms") })
    }

    @Test("The first line that cannot be read is shown with its number and its text")
    func parseError() async throws {
        let report = try await probe(text("a 1\nb{x=\"1\" 2\nc 3\n"))
        #expect(!report.isGood)
        #expect(report.problems.first?.hasPrefix("line 2: ") == true)
        #expect(report.problems.first?.hasSuffix("\n    the line is \"b{x=\\\"1\\\" 2\"") == true)
        #expect(report.content?.samples == 1)
    }

    @Test("A long line is cut")
    func longLine() async throws {
        let report = try await probe(text("a 1\nb\(String(repeating: "x", count: 5000)) y\n"))
        #expect(report.problems.first?.hasSuffix("x\" and 4763 bytes more") == true)
        #expect(report.text.count < 3000)
    }

    @Test("A status and a content type that are none of ours come with the beginning of the body")
    func refused() async throws {
        let status = try await probe(.answer(status: "404 Not Found", body: Array("gone\n".utf8)))
        #expect(status.problems == ["server returned HTTP status 404 Not Found"])
        #expect(status.text.contains("  it begins with \"gone\\n\""))
        let type = try await probe(text("<html>", type: "text/html"))
        #expect(type.problems.first?.contains("unsupported Content-Type \"text/html\"") == true)
    }

    @Test("No answer says why, and after what time")
    func silence() async throws {
        var config = ScrapeConfig(jobName: "probe")
        config.scrapeTimeout = 200
        let report = try await probe(.hang, config)
        #expect(report.problems.first?.hasSuffix("context deadline exceeded") == true)
        #expect(report.text.contains("  no answer after "))
    }

    @Test("A job's rules, limits and labels hold")
    func jobSettings() async throws {
        let config = try job(
            """
            {job_name: j, sample_limit: 1, label_value_length_limit: 30,
            relabel_configs: [{source_labels: [zone], target_label: region}],
            metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop},
            {source_labels: [x], target_label: y}]}
            """)
        let long = String(repeating: "v", count: 31)
        let report = try await probe(
            text("a{x=\"1\"} 1\nb 1\nc{x=\"\(long)\"} 1\nd 1\ne{x=\"\(long)\"} 1\n"), config, labels: ["zone": "z"])
        #expect(report.labels?["region"] == "z")
        #expect(report.text.contains("    a{x=\"1\"}\n      becomes a{"))
        #expect(report.text.contains("    b\n      is dropped"))
        #expect(report.problems.count == 3)
        #expect(report.problems.first?.hasPrefix("label_value_length_limit exceeded (metric: ") == true)
        #expect(report.problems.dropFirst().first?.hasPrefix("2 samples break a limit") == true)
    }

    @Test("A target that relabelling drops is not asked")
    func dropped() async throws {
        let config = try job("{job_name: j, relabel_configs: [{action: drop, regex: ''}]}")
        let report = try await probe(text("a 1\n"), config)
        #expect(report.problems == ["relabelling drops this target: it would not be scraped"])
        #expect(report.answer == nil && report.discoveredLabels["job"] == "j")
    }

    @Test(
        "An address is host and port, or a URL whose parts go before the job's",
        arguments: [
            ("h:1", "http://h:1/m?a=1"), ("https://h:1", "https://h:1/m?a=1"), ("h:1/", "http://h:1/?a=1"),
            ("http://h:1/x%20y?b=2&b=%26#f", "http://h:1/x%20y?b=2&b=%26"),
            ("http://[::1]:9/x?", "http://[::1]:9/x?a=1"),
        ])
    func addresses(text: String, url: String) async throws {
        let config = try job("{job_name: j, metrics_path: /m, params: {a: ['1']}}")
        let transport = DeafTransport()
        let report = await TargetProbe(try ProbeAddress(text), config: config, transport: transport).run()
        #expect(report.url == url)
    }

    @Test("What is no address is refused", arguments: ["", "ftp://h/", "http:///x", "http://u:p@h/"])
    func malformed(text: String) {
        #expect(throws: ProbeAddress.Malformed.self) { try ProbeAddress(text) }
    }
}

private struct DeafTransport: HTTPTransport {
    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        throw OutboundError(.timeout, "nobody listens")
    }
}
