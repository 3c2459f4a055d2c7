import ConfigTree
import NIOPosix
import OwnThreads
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("SOCKS proxies")
struct SOCKSTests {
    /// What a proxy was told, and the head of the request behind it.
    private struct Seen {
        var greeting: [UInt8] = []
        var credentials: [UInt8] = []
        var request: [UInt8] = []
        var heads: [String] = []
    }

    private static let granted: [UInt8] = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80]

    private func client(_ text: String) throws -> HTTPClientSection {
        var section = try ConfigNode.parse(text, file: "t.yml").section("test")
        return try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
    }

    private func withTransport(
        environment: [String: String] = [:], _ body: (HTTPClientTransport) async throws -> Void
    ) async throws {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton) { environment[$0] }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(transport)) } catch { outcome = .failure(error) }
        await transport.shutdown()
        try outcome.get()
    }

    /// Reads what a client asks a proxy for, up to the whole request.
    private static func readRequest(_ peer: ScriptedServer.Peer) -> [UInt8] {
        var request = peer.read(4)
        switch request.last {
        case 1: request += peer.read(4)
        case 4: request += peer.read(16)
        default:
            let count = peer.read(1)
            request += count + peer.read(Int(count.first ?? 0))
        }
        return request + peer.read(2)
    }

    /// A proxy that grants everything.
    /// - Parameter serve: what is done with the connection afterwards.
    private static func start(
        method: UInt8 = 0, seen: Recorder, _ serve: @escaping @Sendable (ScriptedServer.Peer) -> Void
    ) throws -> ScriptedServer {
        try ScriptedServer { peer in
            let greeting = peer.read(2)
            let methods = peer.read(Int(greeting.last ?? 0))
            seen.change { $0.greeting = greeting + methods }
            peer.write([5, method])
            if method == 2 {
                let user = peer.read(2)
                let rest = peer.read(Int(user.last ?? 0)) + peer.read(1)
                let password = peer.read(Int(rest.last ?? 0))
                seen.change { $0.credentials = user + rest + password }
                peer.write([1, 0])
            }
            let request = readRequest(peer)
            seen.change { $0.request = request }
            peer.write(granted)
            serve(peer)
        }
    }

    private final class Recorder: Sendable {
        private let state = Mutex(Seen())

        var value: Seen { state.withLock { $0 } }

        func change(_ body: (inout Seen) -> Void) { state.withLock { body(&$0) } }
    }

    /// Answers requests until the client goes.
    private static func answer(_ peer: ScriptedServer.Peer, _ seen: Recorder) {
        while let head = peer.readHead() {
            seen.change { $0.heads.append(head) }
            peer.answer("behind")
        }
    }

    @Test(
        "A plain request goes through a SOCKS proxy, which is told the target's name; the connection is kept",
        arguments: ["socks5", "socks5h", "SOCKS5"])
    func name(scheme: String) async throws {
        let seen = Recorder()
        let proxy = try Self.start(seen: seen) { Self.answer($0, seen) }
        defer { proxy.stop() }
        let section = try client("proxy_url: '\(scheme)://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            for _ in 0..<2 {
                let response = try await transport.send(
                    OutboundRequest(.get, "http://Nowhere.test:8080/metrics?a=b", client: section, timeout: 60_000))
                #expect(response.body == Array("behind".utf8))
            }
        }
        #expect(proxy.connectionCount == 1)
        #expect(seen.value.greeting == [5, 1, 0])
        #expect(seen.value.request == [5, 1, 0, 3, 12] + Array("nowhere.test".utf8) + [0x1F, 0x90])
        let head = try #require(seen.value.heads.first).lowercased()
        #expect(head.hasPrefix("get /metrics?a=b http/1.1\r\nhost: nowhere.test:8080\r\n"))
        #expect(!head.contains("proxy-"))
    }

    @Test("User and password are said to a proxy that asks for them, and offered to none that does not")
    func credentials() async throws {
        for method: UInt8 in [2, 0] {
            let seen = Recorder()
            let proxy = try Self.start(method: method, seen: seen) { Self.answer($0, seen) }
            defer { proxy.stop() }
            let section = try client("proxy_url: 'socks5://u%40:pw@127.0.0.1:\(proxy.port)'")
            try await withTransport { transport in
                let response = try await transport.send(
                    OutboundRequest(.post, "http://h/", body: [1, 2, 3], client: section, timeout: 60_000))
                #expect(response.status == 200)
            }
            #expect(seen.value.greeting == [5, 2, 0, 2])
            #expect(seen.value.credentials == (method == 0 ? [] : [1, 2, 0x75, 0x40, 2, 0x70, 0x77]))
            #expect(seen.value.heads.first?.lowercased().contains("authorization") == false)
        }
    }

    @Test("Targets that are addresses are said as addresses, and have connections of their own")
    func addresses() async throws {
        let seen = Recorder()
        let proxy = try Self.start(seen: seen) { Self.answer($0, seen) }
        defer { proxy.stop() }
        let section = try client("proxy_url: 'socks5://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            _ = try await transport.send(OutboundRequest(.get, "http://10.1.2.3/", client: section, timeout: 60_000))
            #expect(seen.value.request == [5, 1, 0, 1, 10, 1, 2, 3, 0, 80])
            _ = try await transport.send(
                OutboundRequest(.get, "http://[fd00::1]:81/", client: section, timeout: 60_000))
            #expect(seen.value.request == [5, 1, 0, 4, 0xFD] + [UInt8](repeating: 0, count: 14) + [1, 0, 81])
        }
        #expect(proxy.connectionCount == 2)
    }

    @Test("The environment may name a SOCKS proxy")
    func environment() async throws {
        let seen = Recorder()
        let proxy = try Self.start(seen: seen) { Self.answer($0, seen) }
        defer { proxy.stop() }
        let section = try client("proxy_from_environment: true")
        try await withTransport(environment: ["HTTP_PROXY": "socks5://127.0.0.1:\(proxy.port)"]) { transport in
            let response = try await transport.send(
                OutboundRequest(.get, "http://other.test/", client: section, timeout: 60_000))
            #expect(response.body == Array("behind".utf8))
        }
    }

    @Test("A proxy that answers byte by byte, with a long name of its own, is understood")
    func slowly() async throws {
        let proxy = try ScriptedServer { peer in
            _ = peer.read(3)
            for byte: UInt8 in [5, 0] { peer.write([byte]) }
            _ = Self.readRequest(peer)
            let reply: [UInt8] = [5, 0, 0, 3, 255] + [UInt8](repeating: 0x61, count: 255) + [0, 80]
            for byte in reply { peer.write([byte]) }
            for byte in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8 { peer.write([byte]) }
            peer.waitForEnd()
        }
        defer { proxy.stop() }
        let section = try client("proxy_url: 'socks5://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            let response = try await transport.send(
                OutboundRequest(.get, "http://h/", client: section, timeout: 60_000))
            #expect(response.body == Array("ok".utf8))
        }
    }

    @Test(
        "What a proxy does wrong ends the request with its reason, for plain HTTP and for TLS",
        arguments: [
            ([0x48, 0x54], "unexpected protocol version 72"),
            ([5, 0xFF], "no acceptable authentication methods"),
            ([5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0], "unknown error connection refused"),
            ([5, 0, 5, 99, 0, 1, 0, 0, 0, 0, 0, 0], "unknown error unknown code: 99"),
            ([5, 0, 4, 0, 0, 1, 0, 0, 0, 0, 0, 0], "unexpected protocol version 4"),
        ] as [([UInt8], String)])
    func failures(answers: [UInt8], reason: String) async throws {
        let proxy = try ScriptedServer { peer in
            _ = peer.read(3)
            peer.write(Array(answers.prefix(2)))
            if answers.count > 4 {
                _ = Self.readRequest(peer)
                peer.write(Array(answers.dropFirst(2)))
            }
            peer.waitForEnd()
        }
        defer { proxy.stop() }
        let section = try client("proxy_url: 'socks5://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            for scheme in ["http", "https"] {
                let error = await #expect(throws: OutboundError.self) {
                    _ = try await transport.send(
                        OutboundRequest(.get, "\(scheme)://h.test:81/", client: section, timeout: 60_000))
                }
                #expect(error?.message.contains(reason) == true, "\(scheme): \(error?.message ?? "")")
                #expect(error?.kind == .connection)
                if scheme == "http" {
                    #expect(
                        error?.message
                            == "Get \"http://h.test:81/\": socks connect tcp 127.0.0.1:\(proxy.port)->h.test:81: \(reason)"
                    )
                }
            }
        }
    }

    @Test(
        "Further mistakes of a proxy, in plain HTTP",
        arguments: [
            ([5, 2, 1, 1], "socks5://u:secret@", "username/password authentication failed"),
            ([5, 2, 9, 0], "socks5://u:secret@", "invalid username/password version"),
            ([5, 2], "socks5://:secret@", "invalid username/password"),
            ([5, 2], "socks5://", "unsupported authentication method 2"),
            ([5, 0, 5, 0, 1, 1], "socks5://", "non-zero reserved field"),
            ([5, 0, 5, 0, 0, 9], "socks5://", "unknown address type 9"),
            ([5, 0], "socks5://", "EOF"), ([5], "socks5://", "EOF"), ([], "socks5://", "EOF"),
        ] as [([UInt8], String, String)])
    func furtherFailures(answers: [UInt8], scheme: String, reason: String) async throws {
        let proxy = try ScriptedServer { peer in
            peer.write(answers)
            // Nothing unread is left behind, and so no reset overtakes the end.
            _ = peer.read(3)
            if reason == "EOF" {
                if answers.count == 2 { _ = Self.readRequest(peer) }
            } else {
                peer.waitForEnd()
            }
        }
        defer { proxy.stop() }
        let section = try client("proxy_url: '\(scheme)127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            let error = await #expect(throws: OutboundError.self) {
                _ = try await transport.send(OutboundRequest(.get, "http://h/", client: section, timeout: 60_000))
            }
            #expect(error?.message.hasSuffix("->h:80: \(reason)") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("secret") == false)
        }
    }

    @Test("What comes behind the handshake is the target's, however much it is")
    func flood() async throws {
        let proxy = try ScriptedServer { peer in
            _ = peer.read(3)
            peer.write([5, 0])
            _ = Self.readRequest(peer)
            while peer.write(Self.granted + [UInt8](repeating: 5, count: 1 << 16)) {}
        }
        defer { proxy.stop() }
        let section = try client("proxy_url: 'socks5://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            let error = await #expect(throws: OutboundError.self) {
                _ = try await transport.send(OutboundRequest(.get, "http://h/", client: section, timeout: 60_000))
            }
            #expect(error?.kind == .malformed, "\(error?.message ?? "")")
        }
    }

    @Test("A proxy that never answers costs no more than the request's own time", arguments: ["http", "https"])
    func silence(scheme: String) async throws {
        // The client for TLS ends only when its connections have.
        let isOver = Monitor(false)
        let proxy = try ScriptedServer { _ in
            _ = isOver.wait(milliseconds: 60_000) { $0 ? true : nil }
        }
        defer { proxy.stop() }
        let section = try client("proxy_url: 'socks5://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            defer { isOver.change { $0 = true } }
            let start = ContinuousClock.now
            let error = await #expect(throws: OutboundError.self) {
                _ = try await transport.send(OutboundRequest(.get, "\(scheme)://h/", client: section, timeout: 200))
            }
            #expect(error?.kind == .timeout, "\(error?.message ?? "")")
            #expect(start.duration(to: .now) < .seconds(30))
        }
    }

    @Test("Ending waits for no peer that never answers", arguments: [true, false])
    func ending(isProxied: Bool) async throws {
        let isOver = Monitor(false)
        let peer = try ScriptedServer { _ in
            _ = isOver.wait(milliseconds: 60_000) { $0 ? true : nil }
        }
        defer {
            isOver.change { $0 = true }
            peer.stop()
        }
        let section = try client(isProxied ? "proxy_url: 'socks5://127.0.0.1:\(peer.port)'" : "{}")
        let start = ContinuousClock.now
        try await withTransport { transport in
            let error = await #expect(throws: OutboundError.self) {
                _ = try await transport.send(
                    OutboundRequest(.get, "https://127.0.0.1:\(peer.port)/", client: section, timeout: 200))
            }
            #expect(error?.kind == .timeout, "\(error?.message ?? "")")
        }
        #expect(start.duration(to: .now) < .seconds(30))
    }

    @Test("A TLS target is reached through a proxy, with the name that it must prove")
    func tls() async throws {
        let target = try await LoopbackServer.start(tls: TLSFixture.serverContext(isNamed: true)) { _ in
            .answer(body: Array("inside".utf8))
        }
        let port = target.port
        let seen = Recorder()
        let proxy = try Self.start(seen: seen) { $0.relay(toPort: port) }
        defer { proxy.stop() }
        let authority = TemporaryFile(TLSFixture.namedCertificate)
        defer { authority.remove() }
        let section = try client(
            """
            proxy_url: 'socks5://127.0.0.1:\(proxy.port)'
            tls_config: {ca_file: \(authority.path), server_name: named.test}
            """)
        try await withTransport { transport in
            let response = try await transport.send(
                OutboundRequest(.get, "https://far.test:\(port)/", client: section, timeout: 60_000))
            #expect(response.body == Array("inside".utf8))
        }
        #expect(
            seen.value.request
                == [5, 1, 0, 3, 8] + Array("far.test".utf8) + [UInt8(port >> 8 & 0xFF), UInt8(port & 0xFF)])
        await target.stop()
    }

    @Test("What the client for TLS cannot ask a proxy for is refused, and nobody is asked")
    func refusals() async throws {
        let proxy = try ScriptedServer { $0.waitForEnd() }
        defer { proxy.stop() }
        let long = String(repeating: "a", count: 256)
        try await withTransport { transport in
            for (user, host, reason) in [
                (
                    "u:secret@", "h",
                    "https through a socks5 proxy with user and password is not supported by Hearth yet"
                ),
                ("", long, "FQDN too long"),
            ] {
                let section = try client("proxy_url: 'socks5://\(user)127.0.0.1:\(proxy.port)'")
                let error = await #expect(throws: OutboundError.self) {
                    _ = try await transport.send(
                        OutboundRequest(.get, "https://\(host)/", client: section, timeout: 60_000))
                }
                #expect(
                    error?.message.hasSuffix(reason) == true && error?.kind == .malformed, "\(error?.message ?? "")")
            }
            #expect(proxy.connectionCount == 0)
            let section = try client("proxy_url: 'socks5://127.0.0.1:\(proxy.port)'")
            let error = await #expect(throws: OutboundError.self) {
                _ = try await transport.send(
                    OutboundRequest(.get, "http://\(long)/", client: section, timeout: 200))
            }
            #expect(error?.kind == .timeout)
        }
    }

    @Test("Arbitrary answers end a handshake or go on with it, and never want much")
    func arbitrary() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<20_000 {
            let user: String? = random.next() % 2 == 0 ? nil : "u"
            var handshake = SOCKSHandshake(SOCKSRoute(host: "h", port: 1, user: user))
            var taken = 0
            do throws(SOCKSHandshake.Failure) {
                while !handshake.isComplete {
                    let count = Int(random.next() % UInt64(handshake.wantedCount)) + 1
                    // Mostly bytes that lead on.
                    let bytes = (0..<count).map { _ in
                        random.next() % 8 == 0
                            ? UInt8(truncatingIfNeeded: random.next()) : [5, 0, 1, 3][Int(random.next() % 4)]
                    }
                    taken += count
                    try bytes.withUnsafeBufferPointer { bytes throws(SOCKSHandshake.Failure) in
                        try handshake.take(bytes)
                    }
                    #expect(handshake.wantedCount <= 257)
                }
            } catch {}
            #expect(taken <= 2 + 2 + 4 + 1 + 257)
        }
    }

    @Test("The port of a SOCKS proxy is 1080 unless its URL has one")
    func defaultPort() throws {
        #expect(ProxyAddress(ConfigURL("socks5://p"))?.port == 1080)
        #expect(ProxyAddress(ConfigURL("socks5h://[::1]:9"))?.port == 9)
        #expect(ProxyAddress(ConfigURL("socks5h://[::1]:9"))?.host == "::1")
        #expect(ProxyAddress(ConfigURL("socks4://p")) == nil)
        #expect(ProxyAddress(ConfigURL("p:1"))?.kind == .http)
    }
}
