import ConfigTree
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("OAuth2 client credentials")
struct OAuth2Tests {
    /// A token server and a target beside it that tells what authorization it was given.
    private func run(
        _ oauth2: String, token: @escaping @Sendable (LoopbackServer.Request, Int) -> LoopbackServer.Reply,
        _ body: (HTTPClientTransport, OutboundRequest) async throws -> Void
    ) async throws -> [LoopbackServer.Request] {
        let seen = Mutex<[LoopbackServer.Request]>([])
        let tokens = try await LoopbackServer.start { request in
            token(
                request,
                seen.withLock { seen in
                    seen.append(request)
                    return seen.count
                })
        }
        let target = try await LoopbackServer.start { .answer(body: Array(($0.headers["authorization"] ?? "").utf8)) }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var section = try ConfigNode.parse(
            "oauth2: {client_id: 'an id', token_url: '\(tokens.url("/token"))', \(oauth2)}", file: "t.yml"
        ).section("test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        let request = OutboundRequest(
            .get, target.url(), headers: [("User-Agent", "tester")], client: client, timeout: 60_000)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(transport, request))
        } catch { outcome = .failure(error) }
        await transport.shutdown()
        await tokens.stop()
        await target.stop()
        try outcome.get()
        return seen.withLock { $0 }
    }

    private static func answer(_ token: String, lifetime: String = "3600") -> LoopbackServer.Reply {
        .answer(
            headers: ["content-type": "application/json"],
            body: Array(#"{"access_token":"\#(token)","token_type":"bearer","expires_in":\#(lifetime)}"#.utf8))
    }

    private static func text(_ response: OutboundResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test("A token is asked for as RFC 6749 says, sent along, and kept")
    func token() async throws {
        let seen = try await run(
            "client_secret: 's:ecret', scopes: [a, b], endpoint_params: {audience: 'x y'}"
        ) { _, _ in
            Self.answer("t1")
        } _: { transport, request in
            for _ in 0..<3 {
                let answer = try await transport.send(request)
                #expect(Self.text(answer) == "Bearer t1")
            }
        }
        #expect(seen.count == 1)
        let request = try #require(seen.first)
        #expect(request.method == "POST" && request.path == "/token")
        #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
        #expect(request.headers["user-agent"] == "tester")
        #expect(request.headers["authorization"] == "Basic " + Base64.encode(Array("an+id:s%3Aecret".utf8)))
        #expect(
            String(decoding: request.body, as: UTF8.self) == "audience=x+y&grant_type=client_credentials&scope=a+b")
    }

    @Test("A server that refuses the header is asked with fields of the form, and that is remembered")
    func styles() async throws {
        let seen = try await run("client_secret: s") { request, _ in
            request.headers["authorization"] == nil
                ? Self.answer("t", lifetime: "1") : .answer(status: "401 Unauthorized", body: [])
        } _: { transport, request in
            for _ in 0..<2 {
                let answer = try await transport.send(request)
                #expect(Self.text(answer) == "Bearer t")
            }
        }
        // A token that ends within seconds is not used again.
        #expect(seen.map { $0.headers["authorization"] != nil } == [true, false, false])
        #expect(
            seen.last.map { String(decoding: $0.body, as: UTF8.self) }
                == "client_id=an+id&client_secret=s&grant_type=client_credentials")
    }

    @Test("Requests at the same time wait for one exchange")
    func together() async throws {
        let seen = try await run("client_secret: s") { _, _ in
            Self.answer("t")
        } _: { transport, request in
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { Self.text(try await transport.send(request)) } }
                for try await text in group { #expect(text == "Bearer t") }
            }
        }
        #expect(seen.count == 1)
    }

    @Test("A secret that is replaced in its file is used at once")
    func secretFile() async throws {
        let file = TemporaryFile("first\n")
        defer { file.remove() }
        let seen = try await run("client_secret_file: \(file.path)") { _, count in
            Self.answer("t\(count)")
        } _: { transport, request in
            let first = try await transport.send(request)
            #expect(Self.text(first) == "Bearer t1")
            file.write("second")
            let second = try await transport.send(request)
            #expect(Self.text(second) == "Bearer t2")
        }
        #expect(seen.last?.headers["authorization"] == "Basic " + Base64.encode(Array("an+id:second".utf8)))
    }

    @Test(
        "What goes wrong is told, without the secret",
        arguments: [
            ("{\"error\":\"invalid_client\"}", "401 Unauthorized", "oauth2: cannot fetch token: 401 Unauthorized"),
            ("{}", "200 OK", "oauth2: server response missing access_token"),
            ("[", "200 OK", "oauth2: cannot parse json"),
            ("{\"access_token\":\"a\\nb\"}", "200 OK", "missing access_token"),
        ])
    func failures(body: String, status: String, message: String) async throws {
        _ = try await run("client_secret: hush") { _, _ in
            .answer(status: status, body: Array(body.utf8))
        } _: { transport, request in
            let error = await #expect(throws: OutboundError.self) { _ = try await transport.send(request) }
            #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("hush") == false)
            #expect(error?.message.hasPrefix("Get \"http://127.0.0.1:") == true)
        }
    }

    @Test("A token server that hangs costs no more than the request's own time")
    func deadline() async throws {
        _ = try await run("client_secret: s") { _, _ in
            .hang
        } _: { transport, request in
            var request = request
            request.timeout = 100
            let start = ContinuousClock.now
            await #expect(throws: OutboundError.self) { _ = try await transport.send(request) }
            #expect(start.duration(to: .now) < .seconds(30))
        }
    }
}
