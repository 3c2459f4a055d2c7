import ConfigTree
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Proxies")
struct ProxyTests {
    private func client(_ text: String) throws -> HTTPClientSection {
        var section = try ConfigNode.parse(text, file: "t.yml").section("test")
        return try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
    }

    private func withTransport<Value>(
        environment: [String: String] = [:], _ body: (HTTPClientTransport) async throws -> Value
    ) async throws -> Value {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton) { environment[$0] }
        do {
            let value = try await body(transport)
            await transport.shutdown()
            return value
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    @Test("A plain request goes to the proxy with the whole URL, and with the proxy's credentials")
    func forward() async throws {
        let seen = Mutex<[LoopbackServer.Request]>([])
        let proxy = try await LoopbackServer.start { request in
            seen.withLock { $0.append(request) }
            return .answer(headers: ["content-encoding": "gzip"], body: Fixture.zippedLine)
        }
        let section = try client("proxy_url: 'http://u%40:p@127.0.0.1:\(proxy.port)'")
        let response = try await withTransport { transport in
            try await transport.send(
                OutboundRequest(
                    .get, "http://Nowhere.test:8080/metrics?a=b", headers: [("X-Mine", "yes")], client: section,
                    timeout: 60_000))
        }
        await proxy.stop()
        #expect(response.body == Array("up 1\n".utf8))
        let request = try #require(seen.withLock { $0.first })
        #expect(request.path == "http://nowhere.test:8080/metrics?a=b")
        #expect(request.headers["host"] == "nowhere.test:8080")
        #expect(request.headers["proxy-authorization"] == "Basic dUA6cA==")
        #expect(request.headers["x-mine"] == "yes")
    }

    @Test("Through a proxy, too, bodies are limited, deadlines hold, and errors have their words")
    func forwardLimits() async throws {
        let proxy = try await LoopbackServer.start { request in
            switch request.path {
            case "http://h/long": .answer(body: [UInt8](repeating: 0x61, count: 4096))
            case "http://h/close": .close
            case "http://h/nonsense": .raw(Array("nonsense\r\n\r\n".utf8))
            case "http://h/post": .answer(body: request.body)
            default: .hang
            }
        }
        let section = try client("proxy_url: 'http://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            for (path, kind) in [
                ("long", OutboundError.Kind.bodyTooLong), ("close", .connection), ("nonsense", .malformed),
                ("hang", .timeout),
            ] {
                do {
                    _ = try await transport.send(
                        OutboundRequest(
                            .get, "http://h/\(path)", client: section, timeout: path == "hang" ? 100 : 5000,
                            bodyBytesMax: 1000))
                    Issue.record("\(path) was answered")
                } catch let error as OutboundError {
                    #expect(error.kind == kind, "\(path): \(error)")
                }
            }
            let response = try await transport.send(
                OutboundRequest(.post, "http://h/post", body: [1, 2, 3], client: section, timeout: 60_000))
            #expect(response.body == [1, 2, 3])
        }
        await proxy.stop()
    }

    @Test("A request abandoned while a proxy hangs ends at once")
    func cancellation() async throws {
        let hasAsked = AsyncStream<Void>.makeStream()
        let proxy = try await LoopbackServer.start { _ in
            hasAsked.continuation.yield()
            return .hang
        }
        let section = try client("proxy_url: 'http://127.0.0.1:\(proxy.port)'")
        try await withTransport { transport in
            let task = Task {
                try await transport.send(OutboundRequest(.get, "http://h/", client: section, timeout: 60_000))
            }
            for await _ in hasAsked.stream { break }
            task.cancel()
            let error = await #expect(throws: OutboundError.self) { _ = try await task.value }
            #expect(error?.kind == .cancelled)
        }
        await proxy.stop()
    }

    @Test("A TLS target is reached through a tunnel, with the headers for the proxy alone")
    func tunnel() async throws {
        let target = try await LoopbackServer.start(tls: TLSFixture.serverContext()) { request in
            .answer(headers: ["x-seen": request.headers["x-secret"] ?? "none"], body: Array("inside".utf8))
        }
        let proxy = try await TunnelProxy.start()
        let section = try client(
            """
            proxy_url: 'http://u:p@127.0.0.1:\(proxy.port)'
            proxy_connect_header: {X-Secret: [one]}
            tls_config: {insecure_skip_verify: true}
            """)
        let response = try await withTransport { transport in
            try await transport.send(
                OutboundRequest(.get, "https://localhost:\(target.port)/", client: section, timeout: 10_000))
        }
        #expect(response.body == Array("inside".utf8))
        #expect(response.header("x-seen") == "none")
        let head = try #require(proxy.heads.first).lowercased()
        #expect(head.hasPrefix("connect localhost:\(target.port) http/1.1"))
        #expect(head.contains("x-secret: one"))
        #expect(head.contains("proxy-authorization: basic dtpw"))
        await proxy.stop()
        await target.stop()
    }

    @Test("The environment's proxies are used for what they are not told to leave out")
    func environment() async throws {
        let proxy = try await LoopbackServer.start { _ in .answer(body: Array("proxy".utf8)) }
        let direct = try await LoopbackServer.start { _ in .answer(body: Array("direct".utf8)) }
        let section = try client("proxy_from_environment: true")
        let variables = ["http_proxy": "127.0.0.1:\(proxy.port)", "NO_PROXY": "left.test"]
        try await withTransport(environment: variables) { transport in
            func body(_ url: String, _ client: HTTPClientSection) async throws -> String {
                let request = OutboundRequest(.get, url, client: client, timeout: 60_000)
                return String(decoding: try await transport.send(request).body, as: UTF8.self)
            }
            let other = try await body("http://other.test/", section)
            #expect(other == "proxy")
            // This machine is never asked through it, and nobody else without the key.
            let local = try await body(direct.url(), section)
            let plain = try await body(direct.url(), HTTPClientSection())
            #expect(local == "direct" && plain == "direct")
        }
        await proxy.stop()
        await direct.stop()
    }

    @Test(
        "no_proxy follows Go's rules",
        arguments: [
            ("a.test", "http://a.test/", false), ("a.test", "http://b.a.test/", false),
            (".a.test", "http://a.test/", true),
            (".a.test", "http://b.a.test/", false), ("*.a.test", "http://b.a.test/", false), ("*", "http://x/", false),
            ("a.test:81", "http://a.test/", true), ("a.test:80", "http://a.test/", false),
            ("10.0.0.0/8", "http://10.1.2.3/", false), ("10.0.0.0/8", "http://11.1.2.3/", true),
            ("10.1.2.3", "http://10.1.2.3:9090/", false), ("fd00::/8", "http://[fd12::1]/", false),
            ("fd12::1", "http://[fd12::1]/", false), ("[fd12::1]:80", "http://[fd12::1]:81/", true),
            ("", "http://localhost/", false), ("x", "http://127.0.0.9/", false), ("x", "http://[::1]/", false),
            (" x , A.Test ", "https://a.test/", false), ("test", "http://atest/", true),
            ("10.0.0.0/99", "http://10.0.0.1/", true),
        ])
    func exceptions(rules: String, url: String, isProxied: Bool) throws {
        #expect(ProxyRules.isProxied(try #require(URLReference(url)), exceptions: rules) == isProxied)
    }

    @Test("Without exceptions a configured proxy is asked for this machine too")
    func always() throws {
        let section = try client("proxy_url: http://p:1").proxy
        let target = try #require(URLReference("http://localhost/"))
        #expect(try ProxyRules.proxy(for: target, section) { _ in nil }?.host == "p")
        var withExceptions = section
        withExceptions.exceptions = "x"
        #expect(try ProxyRules.proxy(for: target, withExceptions) { _ in nil } == nil)
    }
}

/// A proxy that opens tunnels, on a free loopback port.
private final class TunnelProxy: Sendable {
    private let channel: any Channel
    private let log: Log

    fileprivate final class Log: Sendable { let heads = Mutex<[String]>([]) }

    private init(_ channel: any Channel, _ log: Log) {
        self.channel = channel
        self.log = log
    }

    static func start() async throws -> TunnelProxy {
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Tunnel(channel: channel, log: log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TunnelProxy(channel, log)
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    /// The heads of the requests.
    var heads: [String] { log.heads.withLock { $0 } }

    func stop() async { try? await channel.close() }
}

/// Reads a head, connects to where it says, and passes bytes on both ways.
private final class Tunnel: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let channel: any Channel
    private let log: TunnelProxy.Log
    private let state = Mutex<(received: [UInt8], peer: (any Channel)?)>(([], nil))

    init(channel: any Channel, log: TunnelProxy.Log) {
        self.channel = channel
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let peer = state.withLock { state in
            if state.peer == nil { state.received += buffer.readableBytesView }
            return state.peer
        }
        if let peer {
            peer.writeAndFlush(buffer, promise: nil)
            return
        }
        let head = state.withLock { String(decoding: $0.received, as: UTF8.self) }
        guard head.hasSuffix("\r\n\r\n") else { return }
        log.heads.withLock { $0.append(head) }
        let address = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        let parts = address.split(separator: ":")
        let channel = channel
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { peer in
                peer.eventLoop.makeCompletedFuture {
                    try peer.pipeline.syncOperations.addHandler(Return(channel: channel))
                }
            }
            .connect(host: "127.0.0.1", port: Int(parts.last ?? "") ?? 0)
            .whenSuccess { [self] peer in
                state.withLock { $0.peer = peer }
                channel.writeAndFlush(
                    channel.allocator.buffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"), promise: nil)
            }
    }

    func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.peer }?.close(promise: nil) }

    private final class Return: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let channel: any Channel

        init(channel: any Channel) { self.channel = channel }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            channel.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { channel.close(promise: nil) }
    }
}
