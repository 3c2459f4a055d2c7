import Glibc
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Plain HTTP over sockets")
struct PlainHTTPClientTests {
    /// Runs a body with a server that follows a script, and takes it and the transport down again.
    private func withServer(
        _ script: @escaping @Sendable (ScriptedServer.Peer) -> Void,
        _ body: (ScriptedServer, HTTPClientTransport) async throws -> Void
    ) async throws {
        let server = try ScriptedServer(script)
        defer { server.stop() }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        do {
            try await body(server, transport)
        } catch {
            await transport.shutdown()
            throw error
        }
        await transport.shutdown()
        #expect(socketCount(connectedTo: server.port) == 0)
    }

    private func text(
        _ transport: HTTPClientTransport, _ url: String, method: OutboundRequest.Method = .get, body: [UInt8] = [],
        timeout: Int64 = 60_000
    ) async throws -> String {
        let response = try await transport.send(OutboundRequest(method, url, body: body, timeout: timeout))
        return String(decoding: response.body, as: UTF8.self)
    }

    private func failure(
        _ transport: HTTPClientTransport, _ request: OutboundRequest
    ) async -> OutboundError? {
        do {
            _ = try await transport.send(request)
            return nil
        } catch { return error }
    }

    private func failure(_ transport: HTTPClientTransport, _ url: String, timeout: Int64 = 60_000) async -> String? {
        await failure(transport, OutboundRequest(.get, url, timeout: timeout))?.message
    }

    // MARK: Kept connections

    @Test("A connection serves request after request, whatever ends their bodies")
    func reuse() async throws {
        try await withServer { peer in
            while peer.readHead() != nil {
                peer.write("HTTP/1.1 100 Continue\r\n\r\n")
                peer.answer("one")
                guard peer.readHead() != nil else { return }
                peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n")
                peer.write("0\r\nX: y\r\n\r\n")
            }
        } _: { (server, transport) async throws in
            for _ in 0..<3 {
                #expect(try await text(transport, server.url()) == "one")
                #expect(try await text(transport, server.url()) == "two")
            }
            #expect(server.connectionCount == 1)
        }
    }

    @Test(
        "A connection that the server will close, or that is out of step, serves no other request",
        arguments: [
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\nHTTP/1.1 200 OK\r\n\r\n",
        ])
    func noReuse(_ response: String) async throws {
        try await withServer { peer in
            _ = peer.readHead()
            peer.write(response)
            if response.contains("ontent-") { peer.waitForEnd() }
        } _: { (server, transport) async throws in
            for count in 1...3 {
                #expect(try await text(transport, server.url()) == "ok")
                #expect(server.connectionCount == count)
            }
        }
    }

    @Test("Requests at once have connections of their own, which are kept")
    func concurrent() async throws {
        let arrived = Atomic(0)
        try await withServer { peer in
            while peer.readHead() != nil {
                arrived.add(1, ordering: .relaxed)
                // Nobody is answered before all have asked.
                while arrived.load(ordering: .relaxed) % 8 != 0 { usleep(500) }
                peer.answer("x")
            }
        } _: { (server, transport) async throws in
            for _ in 0..<3 {
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<8 { group.addTask { try await text(transport, server.url()) } }
                    for try await body in group { #expect(body == "x") }
                }
            }
            #expect(server.connectionCount == 8)
        }
    }

    @Test("A kept connection that was closed at the wrong moment: a GET is sent again, once, a POST is not")
    func stale() async throws {
        try await withServer { peer in
            _ = peer.readHead()
            peer.answer("\(peer.number)")
            _ = peer.readHead()
        } _: { (server, transport) async throws in
            for count in 1...4 { #expect(try await text(transport, server.url()) == "\(count)") }
            #expect(server.connectionCount == 4)
            let error = await failure(transport, OutboundRequest(.post, server.url(), body: [1], timeout: 60_000))
            #expect(error == OutboundError(.connection, "Post \"\(server.url())\": EOF"))
        }
    }

    @Test("A fresh connection that is closed without a word is an error, and not tried again")
    func closed() async throws {
        try await withServer { peer in
            _ = peer.readHead()
        } _: { (server, transport) async throws in
            #expect(await failure(transport, server.url()) == "Get \"\(server.url())\": EOF")
            #expect(server.connectionCount == 1)
        }
    }

    @Test("A kept connection that the server closes is given up when it does so")
    func idleClose() async throws {
        let client = PlainHTTPClient()
        let server = try ScriptedServer { peer in
            _ = peer.readHead()
            peer.answer("x")
        }
        defer { server.stop() }
        let bytes = try RequestBytes.make(.post, target: "/", host: "h", headers: [], body: [])
        for count in 1...3 {
            let request = PlainHTTPClient.Request(
                destination: .tcp(host: "127.0.0.1", port: UInt16(server.port)), bytes: bytes, isRepeatable: false,
                deadline: MonotonicClock.now + 60_000_000_000, bodyBytesMax: 100, bodyBytesExpected: 0)
            #expect(try await client.send(request).body.count == 1)
            #expect(await eventually { client.connectionCount == 0 })
            #expect(server.connectionCount == count)
        }
        await client.shutdown()
    }

    // MARK: What goes wrong

    @Test("A body that breaks off, whatever would have ended it, is an unexpected end")
    func midBody() async throws {
        let parts = [
            "Content-Length: 10\r\n\r\nshort", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1F}\u{0}",
        ]
        try await withServer { peer in
            _ = peer.readHead()
            peer.write("HTTP/1.1 200 OK\r\n" + parts[(peer.number - 1) % parts.count])
        } _: { (server, transport) async throws in
            for _ in parts.dropLast() { #expect(await failure(transport, server.url()) == "unexpected EOF") }
            let last = await failure(transport, server.url())
            #expect(last == "gzip: invalid data" || last == "unexpected EOF")
        }
    }

    @Test("Chunks that are none, and a head that breaks off, have their words")
    func words() async throws {
        try await withServer { peer in
            let head = peer.readHead() ?? ""
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Enco")
            if head.hasPrefix("GET /chunks") { peer.write("ding: chunked\r\n\r\nnone\r\n") }
        } _: { (server, transport) async throws in
            #expect(await failure(transport, server.url("/chunks")) == "malformed chunked encoding")
            #expect(await failure(transport, server.url("/head")) == "Get \"\(server.url("/head"))\": unexpected EOF")
        }
    }

    @Test("The deadline holds before the head, within it and within the body, and the client closes")
    func deadlines() async throws {
        let closed = Atomic(0)
        try await withServer { peer in
            let head = peer.readHead() ?? ""
            if head.hasPrefix("GET /head") { peer.write("HTTP/1.1 200 OK\r\nA: ") }
            if head.hasPrefix("GET /body") { peer.write("HTTP/1.1 200 OK\r\n\r\nabc") }
            peer.waitForEnd()
            closed.add(1, ordering: .relaxed)
        } _: { (server, transport) async throws in
            for path in ["/none", "/head"] {
                let words = "Get \"\(server.url(path))\": context deadline exceeded"
                #expect(await failure(transport, server.url(path), timeout: 100) == words)
            }
            #expect(await failure(transport, server.url("/body"), timeout: 100) == "context deadline exceeded")
            #expect(await eventually { closed.load(ordering: .relaxed) == 3 })
            #expect(await failure(transport, server.url("/zero"), timeout: 0)?.hasSuffix("deadline exceeded") == true)
        }
    }

    @Test("A server with words before the answer without end is not listened to until the deadline")
    func flood() async throws {
        let written = Atomic(0)
        let words = String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 1000)
        try await withServer { peer in
            _ = peer.readHead()
            while peer.write(words) { written.add(1, ordering: .relaxed) }
        } _: { (server, transport) async throws in
            let message = await failure(transport, server.url(), timeout: 1000)
            #expect(message == "Get \"\(server.url())\": context deadline exceeded")
            // The rest stays in the system's buffers.
            #expect(written.load(ordering: .relaxed) < 1000)
        }
    }

    @Test("The deadline holds while connecting to somebody who does not accept")
    func dialDeadline() async throws {
        let server = try ScriptedServer(backlog: 0, accepts: false) { _ in }
        defer { server.stop() }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        // The first few find room in the queue of the system, and wait there.
        try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<8 { group.addTask { await failure(transport, server.url(), timeout: 200) } }
            for try await words in group { #expect(words == "Get \"\(server.url())\": context deadline exceeded") }
        }
        await transport.shutdown()
        #expect(socketCount(connectedTo: server.port) == 0)
    }

    @Test("Cancelling ends a request before it begins, while it waits and while its body comes")
    func cancellation() async throws {
        let hasBody = AsyncStream<Void>.makeStream()
        try await withServer { peer in
            _ = peer.readHead()
            peer.write("HTTP/1.1 200 OK\r\n\r\nabc")
            hasBody.continuation.yield()
            peer.waitForEnd()
        } _: { (server, transport) async throws in
            for waits in [false, true] {
                let task = Task {
                    await failure(transport, OutboundRequest(.get, server.url(), timeout: 60_000))
                }
                if waits { for await _ in hasBody.stream { break } }
                task.cancel()
                let error = await task.value
                #expect(error == OutboundError(.cancelled, "Get \"\(server.url())\": context canceled"))
            }
        }
    }

    @Test("Shutting down ends what is under way, and what comes later")
    func shutdown() async throws {
        let asked = Atomic(0)
        try await withServer { peer in
            _ = peer.readHead()
            asked.add(1, ordering: .relaxed)
            peer.waitForEnd()
        } _: { (server, transport) async throws in
            let tasks = (0..<5).map { _ in Task { await failure(transport, server.url()) } }
            #expect(await eventually { asked.load(ordering: .relaxed) == 5 })
            await transport.shutdown()
            for task in tasks { #expect(await task.value == "Get \"\(server.url())\": context canceled") }
            #expect(await failure(transport, server.url()) == "Get \"\(server.url())\": context canceled")
        }
    }

    // MARK: Requests

    @Test("Nothing that is asked for can make a second request of one")
    func splitting() async throws {
        try await withServer { peer in
            while let head = peer.readHead() { peer.answer(head) }
        } _: { (server, transport) async throws in
            for value in ["a\r\nX: y", "a\nb", "a\u{0}", "a\r"] {
                let request = OutboundRequest(.get, server.url(), headers: [("X-Key", value)], timeout: 60_000)
                let error = await failure(transport, request)
                #expect(error?.kind == .malformed)
                #expect(error?.message.hasSuffix("invalid header field value for \"X-Key\"") == true)
            }
            for name in ["", "a b", "a\r\nb", "a:b", "ä"] {
                let request = OutboundRequest(.get, server.url(), headers: [(name, "x")], timeout: 60_000)
                #expect(await failure(transport, request)?.kind == .malformed)
            }
            #expect(await failure(transport, server.url("/a\r\nX: y"))?.contains("invalid control character") == true)
            #expect(await failure(transport, "http://a b:1/")?.contains("invalid host name") == true)
            let head = try await text(transport, server.url("/ä b?c=\"d\""))
            #expect(head.hasPrefix("GET /%C3%A4%20b?c=\"d\" HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        }
    }

    @Test("A large body goes out while the server takes its time")
    func largePost() async throws {
        let body = [UInt8](repeating: 1, count: 3 << 20) + [UInt8](repeating: 2, count: 3 << 20)
        try await withServer { peer in
            let head = peer.readHead() ?? ""
            let count =
                head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                .flatMap { Int($0.dropFirst(16)) } ?? 0
            let first = peer.read(1000)
            usleep(50_000)
            let rest = peer.read(count - first.count)
            peer.answer(first + rest == body ? "same" : "different")
        } _: { (server, transport) async throws in
            let answer = try await text(transport, server.url(), method: .post, body: body, timeout: 60_000)
            #expect(answer == "same")
        }
    }

    @Test("An answer that comes before the request is out is taken")
    func earlyAnswer() async throws {
        try await withServer { peer in
            _ = peer.readHead()
            peer.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
            peer.waitForEnd()
        } _: { (server, transport) async throws in
            let body = [UInt8](repeating: 0, count: 16 << 20)
            let response = try await transport.send(OutboundRequest(.post, server.url(), body: body, timeout: 60_000))
            #expect(response.status == 413)
        }
    }

    @Test("A compressed body is unpacked as a whole and in pieces")
    func compressed() async throws {
        let zipped = Fixture.zippedBomb
        try await withServer { peer in
            while peer.readHead() != nil {
                peer.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
                for byte in zipped { peer.write(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8)) }
                peer.write("0\r\n\r\n")
            }
        } _: { (server, transport) async throws in
            #expect(try await text(transport, server.url()).utf8.count == 300_000)
            let count = Mutex(0)
            var request = OutboundRequest(.get, server.url(), timeout: 10_000, bodyBytesMax: 10)
            request.receiveBodyPart = { part in
                count.withLock { $0 += part.count }
                return true
            }
            #expect(try await transport.send(request).body.isEmpty)
            #expect(count.withLock { $0 } == 300_000)
            #expect(server.connectionCount == 1)
        }
    }
}
