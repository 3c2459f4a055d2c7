import NIOCore
import NIOPosix
import Synchronization

@testable import Discovery

/// A name server on a free loopback port, over UDP and TCP, that answers as a test wishes.
final class NameServer: Sendable {
    struct Question: Sendable {
        var identifier: UInt16
        /// Without the dot at the end.
        var name: String
        var type: UInt16
        var isTCP: Bool
        var hasEDNS: Bool
    }

    let address: SocketAddress
    private let datagrams: any Channel
    private let streams: any Channel
    private let log: Log

    /// - Parameter reply: the messages to answer with, none for silence.
    static func start(_ reply: @escaping @Sendable (Question) -> [[UInt8]]) async throws -> NameServer {
        let group = MultiThreadedEventLoopGroup.singleton
        let seen = Log()
        let streams = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamHandler(seen: seen, reply: reply))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        // The same port for both.
        let datagrams = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(seen: seen, reply: reply))
                }
            }
            .bind(host: "127.0.0.1", port: streams.localAddress?.port ?? 0).get()
        return try NameServer(datagrams, streams, seen)
    }

    final class Log: Sendable {
        let questions = Mutex<[Question]>([])
    }

    private init(_ datagrams: any Channel, _ streams: any Channel, _ log: Log) throws {
        self.datagrams = datagrams
        self.streams = streams
        self.log = log
        address = try SocketAddress(ipAddress: "127.0.0.1", port: streams.localAddress?.port ?? 0)
    }

    var seen: [Question] { log.questions.withLock { $0 } }

    func stop() async {
        try? await datagrams.close()
        try? await streams.close()
    }

    var configuration: ResolverConfiguration {
        var configuration = ResolverConfiguration()
        configuration.servers = [address]
        configuration.timeout = 2000
        configuration.attempts = 1
        return configuration
    }

    static func question(_ bytes: [UInt8], isTCP: Bool) -> Question? {
        guard bytes.count > 12 else { return nil }
        var labels: [String] = []
        var position = 12
        while position < bytes.count, bytes[position] > 0 {
            let end = position + 1 + Int(bytes[position])
            guard end < bytes.count else { return nil }
            labels.append(String(decoding: bytes[position + 1..<end], as: UTF8.self))
            position = end
        }
        guard position + 2 < bytes.count else { return nil }
        return Question(
            identifier: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), name: labels.joined(separator: "."),
            type: UInt16(bytes[position + 1]) << 8 | UInt16(bytes[position + 2]), isTCP: isTCP,
            hasEDNS: bytes[11] == 1)
    }

    private final class DatagramHandler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        private let seen: Log
        private let reply: @Sendable (Question) -> [[UInt8]]

        init(seen: Log, reply: @escaping @Sendable (Question) -> [[UInt8]]) {
            self.seen = seen
            self.reply = reply
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            guard let question = question(Array(envelope.data.readableBytesView), isTCP: false) else { return }
            seen.questions.withLock { $0.append(question) }
            for answer in reply(question) {
                let buffer = context.channel.allocator.buffer(bytes: answer)
                context.channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: buffer), promise: nil)
            }
        }
    }

    private final class StreamHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let seen: Log
        private let reply: @Sendable (Question) -> [[UInt8]]
        private var received: [UInt8] = []

        init(seen: Log, reply: @escaping @Sendable (Question) -> [[UInt8]]) {
            self.seen = seen
            self.reply = reply
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += unwrapInboundIn(data).readableBytesView
            guard received.count > 2, received.count >= 2 + Int(received[0]) << 8 + Int(received[1]),
                let question = question(Array(received.dropFirst(2)), isTCP: true)
            else { return }
            seen.questions.withLock { $0.append(question) }
            for answer in reply(question) {
                let head = [UInt8(answer.count >> 8), UInt8(answer.count & 255)]
                // In two pieces, as a network may cut it.
                context.channel.writeAndFlush(
                    context.channel.allocator.buffer(bytes: head + answer.prefix(5)), promise: nil)
                context.channel.writeAndFlush(
                    context.channel.allocator.buffer(bytes: answer.dropFirst(5)), promise: nil)
            }
        }
    }
}

extension NameServer.Question {
    func answer(flags: UInt16 = 0x8180, _ records: [(UInt16, [UInt8])] = []) -> [UInt8] {
        var writer = AnswerWriter(identifier, flags: flags, answers: UInt16(records.count))
        writer.name(name)
        writer.word(type)
        writer.word(1)
        for (type, data) in records { writer.record(type, data) }
        return writer.bytes
    }
}
