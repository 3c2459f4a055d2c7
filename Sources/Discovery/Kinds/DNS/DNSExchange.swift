import NIOCore
import NIOPosix

/// One question to one server. Each has a socket, and so a port, of its own and a random identifier: an answer from
/// somebody who does not see the question is unlikely to fit.
struct DNSExchange: Sendable {
    let server: SocketAddress
    let name: String
    let type: DNSRecordType
    /// ms
    let timeout: Int64
    var usesEDNS: Bool

    func overUDP() async throws(DiscoveryError) -> DNSMessage {
        let (query, expected) = try makeQuery()
        let server = self.server
        return try await run { promise in
            DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            DatagramAnswer(expected: expected, promise: promise))
                    }
                }
                .connect(to: server)
        } send: { channel in
            channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: server, data: channel.allocator.buffer(bytes: query)))
        }
    }

    func overTCP() async throws(DiscoveryError) -> DNSMessage {
        let (query, expected) = try makeQuery()
        let server = self.server
        let timeout = self.timeout
        guard let count = UInt16(exactly: query.count) else { throw DiscoveryError("question too long") }
        return try await run { promise in
            ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.milliseconds(timeout))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            StreamAnswer(expected: expected, promise: promise))
                    }
                }
                .connect(to: server)
        } send: { channel in
            channel.writeAndFlush(
                channel.allocator.buffer(bytes: [UInt8(count >> 8), UInt8(count & 0xFF)] + query))
        }
    }

    private func makeQuery() throws(DiscoveryError) -> (query: [UInt8], expected: Expected) {
        let identifier = UInt16.random(in: .min ... .max)
        guard
            let query = DNSMessage.query(identifier: identifier, name: name, type: type, usesEDNS: usesEDNS)
        else { throw DiscoveryError("\"\(name)\" is not a valid domain name") }
        return (query, Expected(identifier: identifier, name: name, type: type))
    }

    /// Connects, sends, and waits for the promise, all of it no longer than the timeout.
    private func run(
        connect: @Sendable (EventLoopPromise<DNSMessage>) -> EventLoopFuture<any Channel>,
        send: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws(DiscoveryError) -> DNSMessage {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: DNSMessage.self)
        let expiry = loop.scheduleTask(in: .milliseconds(timeout)) { promise.fail(DiscoveryError("i/o timeout")) }
        let connected = connect(promise)
        connected.whenSuccess { channel in
            send(channel).whenFailure { promise.fail($0) }
            channel.closeFuture.whenComplete { _ in promise.fail(DiscoveryError("connection closed")) }
        }
        connected.whenFailure { promise.fail($0) }
        promise.futureResult.whenComplete { _ in
            expiry.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                promise.fail(CancellationError())
            }
        } catch let error as DiscoveryError {
            throw error
        } catch {
            throw DiscoveryError(String(describing: error))
        }
    }

    struct Expected: Sendable {
        let identifier: UInt16
        let name: String
        let type: DNSRecordType

        func message(_ bytes: [UInt8]) throws(DiscoveryError) -> DNSMessage? {
            try DNSMessage.answer(bytes, identifier: identifier, name: name, type: type)
        }
    }
}

/// Waits for the datagram that answers; others are passed over.
private final class DatagramAnswer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let expected: DNSExchange.Expected
    private let promise: EventLoopPromise<DNSMessage>

    init(expected: DNSExchange.Expected, promise: EventLoopPromise<DNSMessage>) {
        self.expected = expected
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(DiscoveryError) {
            if let message = try expected.message(Array(unwrapInboundIn(data).data.readableBytesView)) {
                promise.succeed(message)
            }
        } catch {
            promise.fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}

/// Gathers one message with its length in front.
private final class StreamAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let expected: DNSExchange.Expected
    private let promise: EventLoopPromise<DNSMessage>
    /// At most a length and 64 KiB: what comes later is not read.
    private var received: [UInt8] = []

    init(expected: DNSExchange.Expected, promise: EventLoopPromise<DNSMessage>) {
        self.expected = expected
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let room = 2 + Int(UInt16.max) - received.count
        received += unwrapInboundIn(data).readableBytesView.prefix(room)
        guard received.count >= 2 else { return }
        let count = Int(received[0]) << 8 | Int(received[1])
        guard received.count >= 2 + count else { return }
        do throws(DiscoveryError) {
            guard let message = try expected.message(Array(received[2..<2 + count])) else {
                throw DiscoveryError("answer to another question")
            }
            promise.succeed(message)
        } catch {
            promise.fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
