import NIOCore
import NIOPosix
package import NIOSSL
import Synchronization

/// A server on a free loopback port that answers as a test wishes, well-formed or not.
package final class LoopbackServer: Sendable {
    package struct Request: Sendable {
        package var method: String
        package var path: String
        package var headers: [String: String]
        package var body: [UInt8]
    }

    package enum Reply: Sendable {
        /// A whole, proper answer.
        case answer(status: String = "200 OK", headers: [String: String] = [:], body: [UInt8])
        /// Bytes as they are, then the connection is closed.
        case raw([UInt8])
        /// A head, then the same piece of body for ever.
        case endless(head: String, piece: [UInt8])
        /// A head, then pieces of body as they come, then the connection is closed.
        case pieces(head: String, AsyncStream<[UInt8]>)
        /// A head, then the same piece of body again and again, with a pause before each. ms
        case drip(head: String, piece: [UInt8], pause: Int64)
        /// Nothing at all.
        case hang
        /// The connection is closed without a word.
        case close
    }

    package let port: Int
    private let channel: any Channel
    private let counter: Counter

    /// - Parameters:
    ///   - tls: nil for plain HTTP.
    ///   - host: where to listen.
    ///   - socketPath: where given, a socket of this machine in place of a port.
    package static func start(
        tls: NIOSSLContext? = nil, host: String = "127.0.0.1", socketPath: String? = nil,
        _ reply: @escaping @Sendable (Request) -> Reply
    ) async throws -> LoopbackServer {
        let counter = Counter()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                counter.value.add(1, ordering: .relaxed)
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Connection(reply: reply))
                }
            }
        let bound =
            if let socketPath {
                bootstrap.bind(unixDomainSocketPath: socketPath)
            } else {
                bootstrap.bind(host: host, port: 0)
            }
        let channel = try await bound.get()
        return LoopbackServer(channel, counter)
    }

    private final class Counter: Sendable { let value = Atomic(0) }
    private init(_ channel: any Channel, _ counter: Counter) {
        self.channel = channel
        self.counter = counter
        port = channel.localAddress?.port ?? 0
    }

    /// How many connections have been accepted.
    package var connectionCount: Int { counter.value.load(ordering: .relaxed) }

    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    package func stop() async { try? await channel.close() }
}

private final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let reply: @Sendable (LoopbackServer.Request) -> LoopbackServer.Reply
    private var received: [UInt8] = []

    init(reply: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Reply) {
        self.reply = reply
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        while let request = takeRequest() { answer(reply(request), context) }
    }

    private func takeRequest() -> LoopbackServer.Request? {
        let text = String(decoding: received, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let first = (lines.first ?? "").split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        let headCount = text[..<end.upperBound].utf8.count
        let bodyCount = Int(headers["content-length"] ?? "0") ?? 0
        guard first.count >= 2, received.count >= headCount + bodyCount else { return nil }
        let body = Array(received[headCount..<headCount + bodyCount])
        received.removeFirst(headCount + bodyCount)
        return LoopbackServer.Request(
            method: String(first[0]), path: String(first[1]), headers: headers, body: body)
    }

    private func answer(_ reply: LoopbackServer.Reply, _ context: ChannelHandlerContext) {
        switch reply {
        case .answer(let status, let headers, let body):
            var head = "HTTP/1.1 \(status)\r\ncontent-length: \(body.count)\r\n"
            for (name, value) in headers { head += "\(name): \(value)\r\n" }
            write(Array((head + "\r\n").utf8) + body, context)
        case .raw(let bytes):
            let channel = context.channel
            write(bytes, context).whenComplete { _ in channel.close(promise: nil) }
        case .endless(let head, let piece):
            write(Array(head.utf8), context)
            pour(piece, context.channel)
        case .pieces(let head, let pieces):
            write(Array(head.utf8), context)
            let channel = context.channel
            Task {
                for await piece in pieces {
                    try await channel.writeAndFlush(channel.allocator.buffer(bytes: piece))
                }
                try await channel.close()
            }
        case .drip(let head, let piece, let pause):
            write(Array(head.utf8), context)
            Connection.drip(context.channel.allocator.buffer(bytes: piece), pause, context.channel)
        case .hang: break
        case .close: context.close(promise: nil)
        }
    }

    @discardableResult
    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)))
    }

    private func pour(_ piece: [UInt8], _ channel: any Channel) {
        Connection.pour(channel.allocator.buffer(bytes: piece), channel)
    }

    private static func drip(_ buffer: ByteBuffer, _ pause: Int64, _ channel: any Channel) {
        channel.eventLoop.scheduleTask(in: .milliseconds(pause)) {
            channel.writeAndFlush(buffer).whenSuccess { drip(buffer, pause, channel) }
        }
    }

    private static func pour(_ buffer: ByteBuffer, _ channel: any Channel) {
        channel.writeAndFlush(buffer).whenSuccess { pour(buffer, channel) }
    }
}
