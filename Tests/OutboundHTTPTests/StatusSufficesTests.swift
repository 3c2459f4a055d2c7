import ConfigTree
import NIOPosix
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Answers whose status says everything")
struct StatusSufficesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var reply: LoopbackServer.Reply
        var status = 400
        /// As far as it can be read; nil where that depends on how it comes.
        var body: String? = ""
    }

    private static let head = "HTTP/1.1 400 Bad Request\r\n"

    static let cases: [Case] = [
        Case(
            testDescription: "longer than the limit, and says so",
            reply: .answer(status: "400 Bad Request", body: [UInt8](repeating: 0x41, count: 2000)), body: nil),
        Case(
            testDescription: "longer than the limit, without an end",
            reply: .endless(head: head + "\r\n", piece: [UInt8](repeating: 0x41, count: 65_536)), body: nil),
        Case(
            testDescription: "longer than the limit with success",
            reply: .endless(head: "HTTP/1.1 200 OK\r\n\r\n", piece: [UInt8](repeating: 0x41, count: 65_536)),
            status: 200,
            body: nil),
        Case(
            testDescription: "chunks that end early",
            reply: .raw(Array((head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").utf8)), body: "hello"),
        Case(
            testDescription: "fewer bytes than announced",
            reply: .raw(Array((head + "Content-Length: 10\r\n\r\nhello").utf8)), body: "hello"),
        Case(
            testDescription: "chunks that are none",
            reply: .raw(Array((head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n").utf8)), body: nil),
        Case(
            testDescription: "gzip that is none",
            reply: .answer(
                status: "400 Bad Request", headers: ["Content-Encoding": "gzip"], body: Array("not gzip at all".utf8))),
        Case(
            testDescription: "gzip that ends early",
            reply: .answer(
                status: "400 Bad Request", headers: ["Content-Encoding": "gzip"],
                body: Array(Fixture.zippedLine.dropLast(9))), body: nil),
    ]

    /// - Parameter isSufficient: of the status.
    private func answer(
        _ reply: LoopbackServer.Reply, isTLS: Bool, isSufficient: Bool
    ) async throws -> Result<OutboundResponse, OutboundError> {
        let context = isTLS ? try TLSFixture.serverContext() : nil
        let server = try await LoopbackServer.start(tls: context) { _ in reply }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var section = try ConfigNode.parse("tls_config: {insecure_skip_verify: true}", file: "t.yml").section("test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        var request = OutboundRequest(
            .post, "\(isTLS ? "https" : "http")://127.0.0.1:\(server.port)/", body: [1], client: client,
            timeout: 60_000,
            bodyBytesMax: 1000)
        request.statusSuffices = isSufficient
        let result: Result<OutboundResponse, OutboundError>
        do {
            result = .success(try await transport.send(request))
        } catch { result = .failure(error) }
        await transport.shutdown()
        await server.stop()
        return result
    }

    @Test("The answer is there, with as much of its body as can be read", arguments: cases, [false, true])
    func begun(example: Case, isTLS: Bool) async throws {
        let response = try await answer(example.reply, isTLS: isTLS, isSufficient: true).get()
        #expect(response.status == example.status)
        if let body = example.body { #expect(String(decoding: response.body, as: UTF8.self) == body) }
        #expect(response.body.count <= 1000)
    }

    @Test("Where nobody asks for that it is an error", arguments: cases, [false, true])
    func strict(example: Case, isTLS: Bool) async throws {
        let result = try await answer(example.reply, isTLS: isTLS, isSufficient: false)
        #expect(throws: OutboundError.self) { try result.get() }
    }

    @Test("What has no head is no answer", arguments: [false, true])
    func noHead(isTLS: Bool) async throws {
        for reply in [LoopbackServer.Reply.close, .raw(Array("HTTP/1.1 400 Bad".utf8))] {
            let result = try await answer(reply, isTLS: isTLS, isSufficient: true)
            #expect(throws: OutboundError.self) { try result.get() }
        }
    }
}
