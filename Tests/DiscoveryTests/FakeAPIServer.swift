import NIOPosix
import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport

@testable import Discovery

/// An API server on a real socket: lists on request, and watches that a test feeds.
final class FakeAPIServer: Sendable {
    private struct State {
        /// By path, the answers to lists in their order; the last one stays.
        var lists: [String: [LoopbackServer.Reply]] = [:]
        var watches: [String: AsyncStream<[UInt8]>.Continuation] = [:]
        var watchReplies: [String: [LoopbackServer.Reply]] = [:]
        var requests: [LoopbackServer.Request] = []
    }

    private let state = Mutex(State())

    func start() async throws -> LoopbackServer {
        try await LoopbackServer.start { request in self.reply(request) }
    }

    private func reply(_ request: LoopbackServer.Request) -> LoopbackServer.Reply {
        state.withLock { state in
            state.requests.append(request)
            let path = String(request.path.prefix { $0 != "?" })
            guard request.path.contains("watch=true") else {
                guard var lists = state.lists[path], let first = lists.first else {
                    return .answer(status: "404 Not Found", body: [])
                }
                if lists.count > 1 { lists.removeFirst() }
                state.lists[path] = lists
                return first
            }
            if var replies = state.watchReplies[path], !replies.isEmpty {
                defer { state.watchReplies[path] = replies }
                return replies.removeFirst()
            }
            let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
            state.watches[path] = continuation
            return .pieces(head: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", stream)
        }
    }

    func list(_ path: String, _ replies: [LoopbackServer.Reply]) { state.withLock { $0.lists[path] = replies } }

    func list(_ path: String, _ objects: [String], version: Int = 1) {
        list(path, [FakeAPIServer.page(objects, version: version)])
    }

    static func page(_ objects: [String], version: Int, next: String = "") -> LoopbackServer.Reply {
        .answer(
            body: Array(
                #"{"metadata":{"resourceVersion":"\#(version)","continue":"\#(next)"},"items":[\#(objects.joined(separator: ","))]}"#
                    .utf8))
    }

    func answerWatches(_ path: String, with replies: [LoopbackServer.Reply]) {
        state.withLock { $0.watchReplies[path] = replies }
    }

    func hasWatch(_ path: String) -> Bool { state.withLock { $0.watches[path] != nil } }

    func send(_ path: String, _ type: String, _ object: String) {
        let text = #"{"type":"\#(type)","object":\#(object.filter { $0 != "\n" })}"# + "\n"
        let bytes = Array(text.utf8)
        let half = bytes.count / 2
        // Events come in pieces.
        state.withLock {
            _ = $0.watches[path]?.yield(Array(bytes[..<half]))
            _ = $0.watches[path]?.yield(Array(bytes[half...]))
        }
    }

    /// Whether the watch's connection is open, as far as the server knows: it sends an empty line to see.
    func isConnected(_ path: String) -> Bool {
        guard let watch = state.withLock({ $0.watches[path] }) else { return false }
        if case .terminated = watch.yield([0x0A]) { return false }
        return true
    }

    func endWatch(_ path: String) {
        state.withLock {
            $0.watches[path]?.finish()
            $0.watches[path] = nil
        }
    }

    func endAll() { state.withLock { for watch in $0.watches.values { watch.finish() } } }

    var requests: [LoopbackServer.Request] { state.withLock { $0.requests } }
}

extension FakeAPIServer {
    static func pod(_ name: String, _ ip: String, namespace: String = "ns", version: Int = 1) -> String {
        """
        {"metadata":{"name":"\(name)","namespace":"\(namespace)","resourceVersion":"\(version)"},
         "spec":{"containers":[{"name":"c","ports":[{"containerPort":80}]}]},"status":{"podIP":"\(ip)"}}
        """
    }

    /// An answer to a watch that ends after these events.
    static func events(_ events: [(type: String, object: String)]) -> LoopbackServer.Reply {
        let lines = events.map { #"{"type":"\#($0.type)","object":\#($0.object.filter { $0 != "\n" })}"# + "\n" }
        return .answer(body: Array(lines.joined().utf8))
    }
}

/// Runs a discoverer against an API server until the body has ended.
/// - Parameter keys: of the entry, besides the server.
func withAPIServer(
    _ keys: String, clock: any WallClock = ManualClock(now: 0), _ prepare: (FakeAPIServer) -> Void,
    _ body: (FakeAPIServer, Bench) async throws -> Void, after: (FakeAPIServer) async -> Void = { _ in }
) async throws {
    let api = FakeAPIServer()
    prepare(api)
    let server = try await api.start()
    let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    let bench = Bench(transport, clock: clock)
    try await bench.run("kubernetes_sd_configs: [{api_server: 'http://127.0.0.1:\(server.port)/', \(keys)}]") {
        try await body(api, bench)
    }
    await after(api)
    api.endAll()
    await transport.shutdown()
    await server.stop()
}
