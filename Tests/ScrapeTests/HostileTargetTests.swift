import NIOPosix
import OutboundHTTP
import SelfMetrics
import SeriesModel
import TestSupport
import Testing

@testable import Scrape

/// Targets that mean harm, over real sockets: each is stopped by a bound, which says so.
@Suite("Hostile targets")
struct HostileTargetTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var reply: LoopbackServer.Reply
        /// Keys of the job.
        var config = ""
        /// What `lastError` holds: the bound's name.
        var message: String
        /// What counts it.
        var counter: String?

        var testDescription: String { name }
    }

    private static let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
    private static let bodyCounter = "prometheus_target_scrapes_exceeded_body_size_limit_total"
    private static let labelCounter = "prometheus_target_scrape_pool_exceeded_label_limits_total"

    private static func text(_ body: String, headers: [String: String] = [:]) -> LoopbackServer.Reply {
        .answer(
            headers: headers.merging(["content-type": "text/plain"]) { first, _ in first }, body: Array(body.utf8))
    }

    static let cases = [
        Case(
            name: "a body that drips", reply: .drip(head: head + "\r\n", piece: Array("a 1\n".utf8), pause: 20),
            message: "context deadline exceeded"),
        Case(
            name: "a head that drips", reply: .drip(head: head, piece: Array("x: y\r\n".utf8), pause: 20),
            message: "context deadline exceeded"),
        Case(
            name: "a head without end",
            reply: .endless(
                head: head, piece: Array(String(repeating: "x: yyyyyyyyyyyyyyyyyyyy\r\n", count: 100).utf8)),
            message: "malformed HTTP response"),
        Case(
            name: "answers before the answer, without end",
            reply: .endless(
                head: "", piece: Array(String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 100).utf8)),
            message: "context deadline exceeded"),
        Case(
            name: "a line without end",
            reply: .endless(head: head + "\r\n", piece: Array(String(repeating: "a", count: 50_000).utf8)),
            config: ", body_size_limit: 1MB", message: "body size limit exceeded", counter: bodyCounter),
        Case(
            name: "a name of two megabytes", reply: text(String(repeating: "a", count: 2 << 20) + " 1\n"),
            message: "label_value_length_limit exceeded", counter: labelCounter),
        Case(
            name: "chunks without end",
            reply: .endless(
                head: head + "transfer-encoding: chunked\r\n\r\n",
                piece: Array(String(repeating: "1\r\n#\r\n", count: 2000).utf8)),
            config: ", body_size_limit: 2KB", message: "body size limit exceeded", counter: bodyCounter),
        Case(
            name: "a gzip bomb",
            reply: .answer(
                headers: ["content-type": "text/plain", "content-encoding": "gzip"], body: gzipBomb(bytes: 16 << 20)),
            config: ", body_size_limit: 1MB", message: "body size limit exceeded", counter: bodyCounter),
        Case(
            name: "redirects in a circle",
            reply: .answer(status: "302 Found", headers: ["location": "/metrics"], body: []),
            message: "stopped after 10 redirects"),
        Case(
            name: "a series of fifty thousand labels, the last first",
            reply: text(
                "a{" + (100_000..<150_000).reversed().map { "l\($0)=\"\"" }.joined(separator: ",") + "} 1\n"),
            message: "label_limit exceeded (metric: a, number of labels: 50001, limit: 1024)", counter: labelCounter),
        Case(
            name: "more labels than the job allows", reply: text("a{b=\"1\",c=\"2\",d=\"3\"} 1\n"),
            config: ", label_limit: 5", message: "label_limit exceeded (metric: a, number of labels: 6, limit: 5)",
            counter: labelCounter),
        Case(
            name: "more series than the job allows",
            reply: text((0..<20_000).map { "a{n=\"\($0)\"} 1\n" }.joined()), config: ", sample_limit: 1000",
            message: "sample limit exceeded", counter: "prometheus_target_scrapes_exceeded_sample_limit_total"),
    ]

    /// A gzip stream of one letter again and again, a thousandth as long as what it unpacks to; it has no end.
    private static func gzipBomb(bytes: Int) -> [UInt8] {
        var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        var word: UInt32 = 0
        var count: UInt32 = 0
        func put(_ bit: UInt32) {
            word |= bit << count
            count += 1
            guard count == 8 else { return }
            out.append(UInt8(truncatingIfNeeded: word))
            (word, count) = (0, 0)
        }
        func put(code: UInt32, bits: UInt32) {
            for bit in (0..<bits).reversed() { put(code >> bit & 1) }
        }
        // The last block, with the fixed code; the letter; then 258 letters more from one letter before.
        for bit: UInt32 in [1, 1, 0] { put(bit) }
        put(code: 0x30 + 0x61, bits: 8)
        for _ in 0..<bytes / 258 {
            put(code: 0b1100_0101, bits: 8)
            put(code: 0, bits: 5)
        }
        return out
    }

    private func scraping(
        _ reply: LoopbackServer.Reply, _ config: String,
        _ body: (ScrapeManager, RecordingStore, MetricsRegistry, _ port: Int) async throws -> Void
    ) async throws {
        let server = try await LoopbackServer.start { _ in reply }
        let (store, registry) = (RecordingStore(), MetricsRegistry())
        let job = try job(
            """
            {job_name: j, scrape_interval: 1s, scrape_timeout: 1s\(config),
            static_configs: [{targets: ['127.0.0.1:\(server.port)']}]}
            """)
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let manager = ScrapeManager(appendable: store, transport: transport, registry: registry)
        await manager.apply([job], externalLabels: .empty)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(manager, store, registry, server.port))
        } catch {
            outcome = .failure(error)
        }
        await manager.stop()
        await transport.shutdown()
        await server.stop()
        try outcome.get()
    }

    @Test("are stopped by a bound that names itself", arguments: cases)
    func bound(_ hostile: Case) async throws {
        try await scraping(hostile.reply, hostile.config) { manager, store, registry, port in
            var lastError = ""
            // A busy machine may time a scrape out first.
            let isStopped = await eventually {
                let shown = await manager.status().first?.active.first
                if let shown, shown.health == .down { lastError = shown.lastError }
                return lastError.contains(hostile.message)
            }
            #expect(isStopped, "\(lastError)")
            #expect(store.series.allSatisfy { $0.metricName != "a" })
            guard let counter = hostile.counter else { return }
            let isCounted = await eventually { !registry.exposition().contains("\(counter) 0\n") }
            #expect(isCounted)
        }
    }

    @Test("A series twice in one answer is stored once, with its first value, and counted")
    func duplicates() async throws {
        try await scraping(HostileTargetTests.text("a 1\na 2\na 3\n"), "") { _, store, registry, port in
            let a = #"a{instance="127.0.0.1:\#(port)", job="j"}"#
            let isThere = await eventually { store.last(a) != nil }
            #expect(isThere && store.all(a).allSatisfy { $0.value == 1 })
            let counter = "\nprometheus_target_scrapes_sample_duplicate_timestamp_total "
            // Two for each scrape; how many there have been by now is the machine's business.
            let isCounted = await eventually {
                let text = registry.exposition()
                guard let place = text.firstRange(of: counter) else { return false }
                guard let count = Int(text[place.upperBound...].prefix { $0 != "\n" }) else { return false }
                return count > 0 && count.isMultiple(of: 2)
            }
            #expect(isCounted)
        }
    }

    @Test("A help text of nine megabytes is not remembered; the samples are taken")
    func helpText() async throws {
        let body = "# HELP a \(String(repeating: "x", count: 9 << 20))\n# TYPE b gauge\na 1\nb 2\n"
        try await scraping(HostileTargetTests.text(body), "") { manager, store, _, port in
            let isThere = await eventually { store.last(#"b{instance="127.0.0.1:\#(port)", job="j"}"#) != nil }
            #expect(isThere)
            let isKnown = await eventually { await manager.metadata()["b"]?.first?.kind == .gauge }
            #expect(isKnown)
            #expect(await manager.metadata()["a"] == nil)
        }
    }

    @Test("Long lines that change with every scrape do not gather")
    func changingLines() {
        var lines = LineCache()
        var text = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        for round in 0..<20 {
            text[0] = UInt8(ascii: "a") + UInt8(round)
            lines.beginRound()
            #expect(text.withUnsafeBytes { lines.find($0) } == .new(lines.entries.count - 1))
            lines.commit()
            #expect(lines.entries.count < 12)
        }
    }
}
