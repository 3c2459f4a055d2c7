import AsyncHTTPClient
import ConfigTree
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Synchronization

/// The clients behind the transport. What async-http-client knows only of a whole client (HTTP/2 or not, the proxy, the
/// name that a TLS peer must prove) makes one client each; they share the event loops, and each keeps its connections.
///
/// The two plain ones live as long as the transport. Of the others those that nobody has used for a while are closed:
/// with `server_name` there is one for each host.
final class ClientPool: Sendable {
    /// What a client is made for.
    struct Kind: Sendable, Hashable {
        var enablesHTTP2: Bool
        var proxy: ProxyAddress?
        /// For the proxy, when a tunnel is asked for.
        var connectHeaders: [ProxySection.Header] = []
        /// The name that stands in the URL, and the host that is asked instead of it.
        var alias: Alias?
    }

    struct Alias: Sendable, Hashable {
        var name: String
        var host: String
    }

    private struct Entry {
        var client: HTTPClient
        var userCount = 0
        var lastUse: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Kind: Entry] = [:]
        var isShutDown = false
    }

    /// Beyond this many clients the unused ones are closed.
    private static let countMax = 256
    private static let idleTime = Duration.seconds(600)
    /// How long ending waits for connections.
    private static let endTime = Duration.seconds(2)

    private let eventLoopGroup: any EventLoopGroup
    private let state = Mutex(State())

    init(eventLoopGroup: any EventLoopGroup) { self.eventLoopGroup = eventLoopGroup }

    /// Lends the client of a kind for the time of a request.
    func withClient<Value: Sendable>(
        _ kind: Kind, _ body: (HTTPClient) async throws(OutboundError) -> Value
    ) async throws(OutboundError) -> Value {
        guard let client = borrow(kind) else { throw OutboundError(.cancelled, "context canceled") }
        defer { giveBack(kind) }
        return try await body(client)
    }

    /// Nil once the clients are shut down.
    private func borrow(_ kind: Kind) -> HTTPClient? {
        let now = ContinuousClock.now
        let (client, idle) = state.withLock { state -> (HTTPClient?, [HTTPClient]) in
            if state.isShutDown { return (nil, []) }
            var idle: [HTTPClient] = []
            if state.entries[kind] == nil, state.entries.count >= ClientPool.countMax {
                for (key, entry) in state.entries
                where entry.userCount == 0 && entry.lastUse.duration(to: now) > ClientPool.idleTime {
                    idle.append(entry.client)
                    state.entries[key] = nil
                }
            }
            var entry = state.entries[kind] ?? Entry(client: make(kind), lastUse: now)
            entry.userCount += 1
            entry.lastUse = now
            state.entries[kind] = entry
            return (entry.client, idle)
        }
        if !idle.isEmpty {
            Task { for client in idle { try? await client.shutdown() } }
        }
        return client
    }

    private func giveBack(_ kind: Kind) { state.withLock { $0.entries[kind]?.userCount -= 1 } }

    /// Closes all connections; requests still running fail. Call once, last.
    ///
    /// A client ends only when its connections have, and those to a peer that accepts and then says nothing take as long
    /// as connecting may: such are left behind after a while.
    func shutdown() async {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer { state.entries = [:] }
            return state.entries.values.map(\.client)
        }
        let end = AsyncStream<Void>.makeStream()
        Task {
            await withTaskGroup { group in
                for client in clients { group.addTask { try? await client.shutdown() } }
            }
            end.continuation.finish()
        }
        let timer = Task {
            try? await Task.sleep(for: ClientPool.endTime)
            end.continuation.finish()
        }
        for await _ in end.stream {}
        timer.cancel()
    }

    /// A peer that has gone without a word (a machine that died, a balancer that forgot) would keep its connection in the
    /// pool, and requests over HTTP/2 would go on failing over it for a quarter of an hour. A minute is what upstream
    /// allows. Failing to set any of it costs that, nothing else.
    @Sendable
    private static func keepAlive(_ channel: any Channel) -> EventLoopFuture<Void> {
        let options: [(NIOBSDSocket.OptionLevel, NIOBSDSocket.Option, Int)] = [
            (.socket, .so_keepalive, 1), (.tcp, .init(rawValue: TCP_KEEPIDLE), 30),
            (.tcp, .init(rawValue: TCP_KEEPINTVL), 10), (.tcp, .init(rawValue: TCP_KEEPCNT), 3),
            (.tcp, .init(rawValue: TCP_USER_TIMEOUT), 60_000),
        ]
        let loop = channel.eventLoop
        return EventLoopFuture.andAllComplete(
            options.map { level, option, value in
                channel.setOption(ChannelOptions.Types.SocketOption(level: level, name: option), value: value)
            }, on: loop)
    }

    private func make(_ kind: Kind) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: TLSConfigurationCache.standard,
            redirectConfiguration: .disallow,
            // The caller's deadline ends every phase; these only must not fire first.
            timeout: .init(connect: .seconds(600)),
            decompression: .enabled(limit: .size(HTTPClientTransport.bodyBytesMax)))
        configuration.connectionPool.idleTimeout = .seconds(300)
        // Many targets may stand behind one address (a prober's): they must not wait for each other.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1000
        // Otherwise a refused connection is tried again and again until the deadline.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { ClientPool.keepAlive($0) }
        configuration.http2ConnectionDebugInitializer = { ClientPool.keepAlive($0) }
        if !kind.enablesHTTP2 { configuration.httpVersion = .http1Only }
        if let proxy = kind.proxy, proxy.kind == .socks5 {
            configuration.proxy = .socksServer(host: proxy.host, port: proxy.port)
        } else if let proxy = kind.proxy {
            let headers = kind.connectHeaders.flatMap { header in header.values.map { (header.name, $0.text) } }
            configuration.proxy = .server(
                host: proxy.host, port: proxy.port,
                authorization: proxy.user.map { .basic(username: $0, password: proxy.password.text) },
                connectHeaders: HTTPHeaders(headers))
        }
        if let alias = kind.alias { configuration.dnsOverride = [alias.name: alias.host] }
        return HTTPClient(eventLoopGroupProvider: .shared(eventLoopGroup), configuration: configuration)
    }
}
