import ConfigTree
import NIOPosix
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Configured headers")
struct HeaderTests {
    @Test("Values, secrets and files are sent, files read anew; secrets stay with their host")
    func headers() async throws {
        let file = TemporaryFile("from file\n")
        defer { file.remove() }
        let other = try await LoopbackServer.start { request in
            .answer(body: Array(((request.headers["x-open"] ?? "-") + "," + (request.headers["x-key"] ?? "-")).utf8))
        }
        let server = try await LoopbackServer.start { request in
            if request.path == "/away" {
                return .answer(
                    status: "302 Found", headers: ["location": "http://localhost:\(other.port)/"], body: [])
            }
            return .answer(
                body: Array(((request.headers["x-open"] ?? "-") + "," + (request.headers["x-key"] ?? "-")).utf8))
        }
        var section = try ConfigNode.parse(
            "http_headers: {X-Open: {values: [seen]}, X-Key: {files: [\(file.path)]}}", file: "t.yml"
        ).section("test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        func body(_ path: String) async throws -> String {
            let request = OutboundRequest(.get, server.url(path), client: client, timeout: 60_000)
            return String(decoding: try await transport.send(request).body, as: UTF8.self)
        }
        #expect(try await body("/") == "seen,from file")
        file.write("renewed")
        #expect(try await body("/") == "seen,renewed")
        #expect(try await body("/away") == "seen,-")
        file.remove()
        let error = await #expect(throws: OutboundError.self) { _ = try await body("/") }
        #expect(error?.message.hasPrefix("unable to read headers file \(file.path): ") == true)
        await transport.shutdown()
        await server.stop()
        await other.stop()
    }
}
