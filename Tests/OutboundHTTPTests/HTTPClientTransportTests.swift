import ConfigTree
import Glibc
import NIOPosix
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("HTTP transport over loopback")
struct HTTPClientTransportTests {
    /// Runs a body with a server and a transport, and takes both down again.
    private func withServer(
        _ reply: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Reply,
        _ body: (LoopbackServer, HTTPClientTransport) async throws -> Void
    ) async throws {
        let server = try await LoopbackServer.start(reply)
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        do {
            try await body(server, transport)
        } catch {
            await transport.shutdown()
            await server.stop()
            throw error
        }
        await transport.shutdown()
        await server.stop()
    }

    private func failure(
        of request: OutboundRequest, _ transport: HTTPClientTransport
    ) async -> OutboundError? {
        do {
            _ = try await transport.send(request)
            return nil
        } catch { return error }
    }

    @Test("A body, its status and headers arrive; the request's headers are sent")
    func plain() async throws {
        try await withServer { request in
            .answer(
                status: "404 Not Found", headers: ["x-seen": request.headers["x-mine"] ?? ""],
                body: Array((request.method + request.path).utf8))
        } _: { server, transport in
            let request = OutboundRequest(
                .get, server.url("/a?b=c"), headers: [("X-Mine", "yes")], timeout: 60_000)
            let response = try await transport.send(request)
            #expect(response.status == 404)
            #expect(response.statusError == "server returned HTTP status 404 Not Found")
            #expect(response.header("X-Seen") == "yes")
            #expect(response.body == Array("GET/a?b=c".utf8))
        }
    }

    @Test("A body that is wanted piece by piece is handed over while it comes, and can be stopped")
    func pieces() async throws {
        let (pieces, feed) = AsyncStream.makeStream(of: [UInt8].self)
        let stopsAfter = Mutex(Int.max)
        let received = Mutex<[UInt8]>([])
        try await withServer { request in
            request.path == "/no"
                ? .answer(status: "404 Not Found", body: Array("none".utf8))
                : .pieces(head: "HTTP/1.1 200 OK\r\n\r\n", pieces)
        } _: { server, transport in
            var request = OutboundRequest(.get, server.url("/no"), timeout: 10_000)
            request.receiveBodyPart = { part in
                received.withLock { $0 += part }
                return received.withLock { $0.count } < stopsAfter.withLock { $0 }
            }
            let refused = try await transport.send(request)
            #expect(refused.body == Array("none".utf8))
            #expect(received.withLock { $0.isEmpty })
            request.url = server.url("/yes")
            let prepared = request
            async let answer = failure(of: prepared, transport)
            feed.yield([1, 2])
            while received.withLock({ $0.count }) < 2 { try await Task.sleep(for: .milliseconds(2)) }
            stopsAfter.withLock { $0 = 3 }
            feed.yield([3])
            #expect(await answer?.kind == .bodyTooLong)
            feed.finish()
            #expect(received.withLock { $0 } == [1, 2, 3])
        }
    }

    @Test("A socket of this machine is spoken to by its path")
    func unixSocket() async throws {
        let path = "/tmp/hearth-test-\(UInt64.random(in: .min ... .max)).sock"
        let server = try await LoopbackServer.start(socketPath: path) { .answer(body: Array($0.path.utf8)) }
        defer { unlink(path) }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let escaped = path.split(separator: "/").map { "%2F" + $0 }.joined()
        let request = OutboundRequest(.get, "http+unix://\(escaped)/a?b=c", timeout: 10_000)
        let response = try await transport.send(request)
        #expect(response.body == Array("/a?b=c".utf8))
        await transport.shutdown()
        await server.stop()
    }

    @Test("A POST carries its body")
    func post() async throws {
        try await withServer {
            .answer(body: $0.body)
        } _: { server, transport in
            let response = try await transport.send(
                OutboundRequest(.post, server.url(), body: Array("hello".utf8), timeout: 60_000))
            #expect(response.body == Array("hello".utf8))
        }
    }

    @Test("Connections are kept for the next request")
    func reuse() async throws {
        try await withServer { _ in
            .answer(body: [])
        } _: { server, transport in
            for _ in 0..<5 { _ = try await transport.send(OutboundRequest(.get, server.url(), timeout: 60_000)) }
            #expect(server.connectionCount == 1)
        }
    }

    @Test("A kept connection that the server closed meanwhile does not fail a request")
    func staleConnection() async throws {
        let count = Mutex(0)
        try await withServer { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number == 2 ? .close : .answer(body: [])
        } _: { server, transport in
            for _ in 0..<3 {
                let response = try await transport.send(OutboundRequest(.get, server.url(), timeout: 60_000))
                #expect(response.status == 200)
            }
        }
    }

    @Test("gzip is unpacked")
    func gzip() async throws {
        let body = Fixture.zippedLine
        try await withServer { _ in
            .answer(headers: ["content-encoding": "gzip"], body: body)
        } _: {
            server, transport in
            let response = try await transport.send(OutboundRequest(.get, server.url(), timeout: 60_000))
            #expect(response.body == Array("up 1\n".utf8))
        }
    }

    @Test("The body limit counts unpacked bytes")
    func gzipBomb() async throws {
        let body = Fixture.zippedBomb
        try await withServer { _ in
            .answer(headers: ["content-encoding": "gzip"], body: body)
        } _: {
            server, transport in
            let request = OutboundRequest(.get, server.url(), timeout: 60_000, bodyBytesMax: 100_000)
            let error = await failure(of: request, transport)
            #expect(error == OutboundError(.bodyTooLong, "body size limit exceeded"))
            let larger = OutboundRequest(.get, server.url(), timeout: 60_000, bodyBytesMax: 300_000)
            let value1 = try await transport.send(larger)
            #expect(value1.body.count == 300_000)
        }
    }

    @Test("A body that never ends is cut off at the limit")
    func endless() async throws {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n"
        try await withServer { _ in
            .endless(head: head, piece: [UInt8](repeating: 0x61, count: 65_536))
        } _: {
            server, transport in
            let request = OutboundRequest(.get, server.url(), timeout: 20_000, bodyBytesMax: 1 << 20)
            let error = await failure(of: request, transport)
            #expect(error == OutboundError(.bodyTooLong, "body size limit exceeded"))
        }
    }

    @Test("User and password of a URL are sent, decoded, and not beyond their host")
    func userInfo() async throws {
        let seen = Mutex<[String]>([])
        try await withServer { request in
            seen.withLock { $0.append(request.headers["authorization"] ?? "") }
            let port = request.headers["host"]?.split(separator: ":").last ?? ""
            guard request.path == "/far" else { return .answer(body: []) }
            return .answer(status: "302 Found", headers: ["location": "http://localhost:\(port)/there"], body: [])
        } _: { server, transport in
            let url = "http://us%40er:p%3Ass@127.0.0.1:\(server.port)/far"
            var client = HTTPClientSection()
            client.followsRedirects = true
            _ = try await transport.send(OutboundRequest(.get, url, client: client, timeout: 60_000))
            #expect(seen.withLock { $0 } == ["Basic dXNAZXI6cDpzcw==", ""])
        }
    }

    @Test("A server that says nothing runs into the deadline")
    func timeout() async throws {
        try await withServer { _ in
            .hang
        } _: { server, transport in
            let error = await failure(of: OutboundRequest(.get, server.url(), timeout: 100), transport)
            #expect(error?.kind == .timeout)
            #expect(error?.message == "Get \"\(server.url())\": context deadline exceeded")
        }
    }

    @Test("A port where nobody listens is refused at once, in Prometheus' words")
    func refused() async throws {
        try await withServer { _ in
            .hang
        } _: { server, transport in
            await server.stop()
            // Other tests share the processors: the first of several requests may wait for them, not for the peer.
            var taken = Duration.seconds(60)
            for _ in 0..<3 where taken >= .seconds(5) {
                let start = ContinuousClock.now
                let error = await failure(of: OutboundRequest(.get, server.url("/x"), timeout: 10_000), transport)
                taken = start.duration(to: .now)
                #expect(
                    error?.message
                        == "Get \"\(server.url("/x"))\": dial tcp 127.0.0.1:\(server.port): connect: connection refused"
                )
            }
            #expect(taken < .seconds(5))
        }
    }

    @Test("Bytes that are no HTTP are an error with a clear text")
    func rubbish() async throws {
        try await withServer { _ in
            .raw(Array("SSH-2.0-OpenSSH\r\n".utf8))
        } _: { server, transport in
            let error = await failure(of: OutboundRequest(.get, server.url(), timeout: 60_000), transport)
            #expect(error?.kind == .malformed)
            #expect(error?.message.hasSuffix("malformed HTTP response") == true)
        }
    }

    @Test("An answer that breaks off is an error")
    func truncated() async throws {
        let bytes = Array("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".utf8)
        try await withServer { _ in
            .raw(bytes)
        } _: { server, transport in
            let error = await failure(of: OutboundRequest(.get, server.url(), timeout: 60_000), transport)
            #expect(error != nil)
        }
    }

    @Test("Credentials go out, and to the same host only when redirected")
    func redirects() async throws {
        try await withServer { request in
            switch request.path {
            case "/same":
                return .answer(status: "302 Found", headers: ["location": "/end"], body: [])
            case "/other":
                let port = request.headers["host"]?.split(separator: ":").last ?? ""
                return .answer(
                    status: "302 Found", headers: ["location": "http://localhost:\(port)/end"], body: [])
            case "/loop": return .answer(status: "302 Found", headers: ["location": "/loop"], body: [])
            default: return .answer(body: Array((request.headers["authorization"] ?? "none").utf8))
            }
        } _: { server, transport in
            var client = HTTPClientSection()
            client.basicAuth = .init(username: .inline("me"), password: .inline(Secret("pw")))
            func body(_ path: String) async throws -> String {
                let request = OutboundRequest(.get, server.url(path), client: client, timeout: 60_000)
                return String(decoding: try await transport.send(request).body, as: UTF8.self)
            }
            let value2 = try await body("/end")
            #expect(value2 == "Basic bWU6cHc=")
            let value3 = try await body("/same")
            #expect(value3 == "Basic bWU6cHc=")
            let value4 = try await body("/other")
            #expect(value4 == "none")
            let loop = await failure(of: OutboundRequest(.get, server.url("/loop"), timeout: 60_000), transport)
            #expect(loop?.message.hasSuffix("stopped after 10 redirects") == true)
            client.followsRedirects = false
            let request = OutboundRequest(.get, server.url("/same"), client: client, timeout: 60_000)
            let value5 = try await transport.send(request)
            #expect(value5.status == 302)
        }
    }

    @Test("A token file is read anew for each request")
    func tokenFile() async throws {
        try await withServer {
            .answer(body: Array(($0.headers["authorization"] ?? "none").utf8))
        } _: {
            server, transport in
            let file = TemporaryFile("first\n")
            var client = HTTPClientSection()
            client.authorization = .init(scheme: "Bearer", credentials: .file(file.path))
            let request = OutboundRequest(.get, server.url(), client: client, timeout: 60_000)
            let value6 = try await transport.send(request)
            #expect(value6.body == Array("Bearer first".utf8))
            file.write("second")
            let value7 = try await transport.send(request)
            #expect(value7.body == Array("Bearer second".utf8))
            file.remove()
            let error = await failure(of: request, transport)
            #expect(error?.kind == .credentials)
            #expect(error?.message.contains("no such file or directory") == true)
        }
    }

    @Test("A cancelled task abandons its request")
    func cancellation() async throws {
        try await withServer { _ in
            .hang
        } _: { server, transport in
            let url = server.url()
            let task = Task { await failure(of: OutboundRequest(.get, url, timeout: 30_000), transport) }
            task.cancel()
            let error = await task.value
            #expect(error?.kind == .cancelled)
        }
    }
}
