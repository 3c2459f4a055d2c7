import ConfigTree
import Glibc
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Names, addresses and sockets")
struct DestinationTests {
    private func client(_ lookUp: @escaping @Sendable (String) -> [SocketAddress]) -> PlainHTTPClient {
        PlainHTTPClient(resolver: NameResolver { .success(lookUp($0)) })
    }

    private func address(_ text: String) throws -> SocketAddress {
        try #require(try SocketAddress.lookUp(text, isNumeric: true).get().first)
    }

    private func request(_ host: String, _ port: Int, timeout: Int64 = 60_000) throws -> PlainHTTPClient.Request {
        PlainHTTPClient.Request(
            destination: .tcp(host: host, port: UInt16(port)),
            bytes: try RequestBytes.make(.get, target: "/", host: host, headers: [], body: []), isRepeatable: true,
            deadline: MonotonicClock.now + timeout * 1_000_000, bodyBytesMax: 1000, bodyBytesExpected: 0)
    }

    private func words(_ client: PlainHTTPClient, _ request: PlainHTTPClient.Request) async -> String {
        do throws(PlainFault) {
            return String(decoding: try await client.send(request).body, as: UTF8.self)
        } catch { return OutboundError(error, method: .get, url: "u").message }
    }

    @Test("Where one address of a name refuses, the next is asked; the first refusal is told")
    func fallback() async throws {
        let server = try await LoopbackServer.start { _ in .answer(body: Array("here".utf8)) }
        let (closed, open) = (try address("127.0.0.2"), try address("127.0.0.1"))
        let client = client { $0 == "both" ? [closed, open] : [closed] }
        #expect(await words(client, try request("both", server.port)) == "here")
        let refusal = await words(client, try request("one", server.port))
        #expect(refusal == "Get \"u\": dial tcp 127.0.0.2:\(server.port): connect: connection refused")
        await client.shutdown()
        await server.stop()
    }

    @Test("A name is asked for once by all who wait for it, and not again soon")
    func shared() async throws {
        let server = try await LoopbackServer.start { _ in .answer(headers: ["connection": "close"], body: []) }
        let count = Atomic(0)
        let gate = Mutex(true)
        let here = try address("127.0.0.1")
        let client = client { _ in
            count.add(1, ordering: .relaxed)
            while gate.withLock({ $0 }) { usleep(1000) }
            return [here]
        }
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                let request = try request("name", server.port)
                group.addTask { await words(client, request) }
            }
            #expect(await eventually { count.load(ordering: .relaxed) == 1 })
            gate.withLock { $0 = false }
            for try await words in group { #expect(words == "") }
        }
        #expect(await words(client, try request("name", server.port)) == "")
        #expect(count.load(ordering: .relaxed) == 1)
        await client.shutdown()
        await server.stop()
    }

    @Test("A deadline, a cancellation and the end hold while a name is looked up; others are not held up")
    func slowNames() async throws {
        let server = try await LoopbackServer.start { _ in .answer(body: Array("here".utf8)) }
        let gate = Mutex(true)
        let asked = Atomic(0)
        let here = try address("127.0.0.1")
        let client = client { name in
            if name == "slow" {
                asked.add(1, ordering: .relaxed)
                while gate.withLock({ $0 }) { usleep(1000) }
            }
            return [here]
        }
        let late = await words(client, try request("slow", server.port, timeout: 100))
        #expect(late == "Get \"u\": context deadline exceeded")
        #expect(await words(client, try request("quick", server.port)) == "here")
        let slow = try request("slow", server.port)
        let task = Task { await words(client, slow) }
        task.cancel()
        #expect(await task.value == "Get \"u\": context canceled")
        let pending = Task { await words(client, slow) }
        await client.shutdown()
        #expect(await pending.value == "Get \"u\": context canceled")
        #expect(asked.load(ordering: .relaxed) == 1)
        gate.withLock { $0 = false }
        await server.stop()
    }

    @Test("A proxy that is not there is told from a target that is not there")
    func noProxy() async throws {
        let server = try await LoopbackServer.start { _ in .close }
        await server.stop()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var section = try ConfigNode.parse("proxy_url: 'http://127.0.0.1:\(server.port)'", file: "t.yml").section(
            "test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        let error = await #expect(throws: OutboundError.self) {
            try await transport.send(OutboundRequest(.get, "http://target/", client: client, timeout: 60_000))
        }
        let words = "proxyconnect tcp: dial tcp 127.0.0.1:\(server.port): connect: connection refused"
        #expect(error?.message == "Get \"http://target/\": " + words)
        await transport.shutdown()
    }

    @Test("A name that nobody knows says so")
    func unknownName() async throws {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let error = await #expect(throws: OutboundError.self) {
            try await transport.send(OutboundRequest(.get, "http://nobody.invalid/x", timeout: 30_000))
        }
        #expect(error?.message.hasPrefix("Get \"http://nobody.invalid/x\": ") == true)
        #expect(error?.message.contains("dial tcp: lookup nobody.invalid: ") == true || error?.kind == .timeout)
        await transport.shutdown()
    }

    @Test("localhost, and an IPv6 address in brackets, are reached")
    func loopback() async throws {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let server = try await LoopbackServer.start { .answer(body: Array(($0.headers["host"] ?? "").utf8)) }
        let named = try await transport.send(
            OutboundRequest(.get, "http://localhost:\(server.port)/", timeout: 60_000))
        #expect(named.body == Array("localhost:\(server.port)".utf8))
        await server.stop()
        guard
            let six = try? await LoopbackServer.start(
                host: "::1", { .answer(body: Array(($0.headers["host"] ?? "").utf8)) })
        else {
            print("skipped: no IPv6 here")
            await transport.shutdown()
            return
        }
        let request = OutboundRequest(.get, "http://[::1]:\(six.port)/", timeout: 60_000)
        let response = try await transport.send(request)
        #expect(response.body == Array("[::1]:\(six.port)".utf8))
        await transport.shutdown()
        await six.stop()
        let other = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let error = await #expect(throws: OutboundError.self) { try await other.send(request) }
        #expect(error?.message.hasSuffix("dial tcp [::1]:\(six.port): connect: connection refused") == true)
        await other.shutdown()
    }

    @Test(
        "Sockets of this machine that stand for the same address are kept apart, and the address is in the Host header")
    func unixSockets() async throws {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var servers: [LoopbackServer] = []
        var paths: [String] = []
        for name in ["A", "b"] {
            let path = "/tmp/hearth-test-\(name)\(UInt64.random(in: .min ... .max)).sock"
            servers.append(
                try await LoopbackServer.start(socketPath: path) { request in
                    .answer(body: Array("\(name) \(request.headers["host"] ?? "") \(request.path)".utf8))
                })
            paths.append(path)
        }
        defer { for path in paths { unlink(path) } }
        for _ in 0..<3 {
            for (path, name) in zip(paths, ["A", "b"]) {
                var request = OutboundRequest(.get, "http://app:9100/metrics?a=b", timeout: 60_000)
                request.unixSocket = path
                let body = try await transport.send(request).body
                #expect(String(decoding: body, as: UTF8.self) == "\(name) app:9100 /metrics?a=b")
            }
        }
        #expect(servers.map(\.connectionCount) == [1, 1])
        for server in servers { await server.stop() }
        var request = OutboundRequest(.get, "http://app/", timeout: 60_000)
        for (path, words) in [
            ("/nowhere/x.sock", "dial unix /nowhere/x.sock: connect: no such file or directory"),
            ("/" + String(repeating: "x", count: 200), "invalid path of a unix socket"),
        ] {
            request.unixSocket = path
            let error = await #expect(throws: OutboundError.self) { try await transport.send(request) }
            #expect(error?.message == "Get \"http://app/\": " + words)
        }
        await transport.shutdown()
    }

    @Test("A redirect to another host leaves the socket, one to the same host stays on it")
    func unixRedirects() async throws {
        let elsewhere = try await LoopbackServer.start { _ in .answer(body: Array("elsewhere".utf8)) }
        let path = "/tmp/hearth-test-\(UInt64.random(in: .min ... .max)).sock"
        defer { unlink(path) }
        let port = elsewhere.port
        let server = try await LoopbackServer.start(socketPath: path) { request in
            switch request.path {
            case "/away":
                .answer(status: "302 Found", headers: ["location": "http://127.0.0.1:\(port)/"], body: [])
            case "/other": .answer(status: "302 Found", headers: ["location": "http+unix://%2Fx/"], body: [])
            case "/near": .answer(status: "302 Found", headers: ["location": "http://app/end"], body: [])
            default: .answer(body: Array("socket".utf8))
            }
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        for (target, body) in [("/away", "elsewhere"), ("/near", "socket")] {
            var request = OutboundRequest(.get, "http://app" + target, timeout: 60_000)
            request.unixSocket = path
            #expect(try await transport.send(request).body == Array(body.utf8))
        }
        var request = OutboundRequest(.get, "http://app/other", timeout: 60_000)
        request.unixSocket = path
        let error = await #expect(throws: OutboundError.self) { try await transport.send(request) }
        #expect(error?.message == "failed to parse Location header \"http+unix://%2Fx/\"")
        await transport.shutdown()
        await server.stop()
        await elsewhere.stop()
    }
}
