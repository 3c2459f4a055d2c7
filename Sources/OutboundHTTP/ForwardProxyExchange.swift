import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix

/// One request for a plain `http` URL through a proxy: the proxy is given the whole URL (RFC 9112, 3.2.2), as Go and
/// curl do. async-http-client would ask for a tunnel, which many proxies allow to port 443 only. A connection serves one
/// request.
struct ForwardProxyExchange: Sendable {
    var proxy: ProxyAddress
    var head: HTTPRequestHead
    var body: [UInt8]
    var deadline: NIODeadline
    var bodyBytesMax: Int
    var bodyBytesExpected: Int
    /// Takes the pieces of a body of status 200 in place of the response.
    var receivePart: (@Sendable ([UInt8]) -> Bool)?

    /// - Parameter url: of what is wanted, with a host.
    init(
        proxy: ProxyAddress, method: HTTPMethod, url: URLReference, headers: HTTPHeaders, body: [UInt8],
        deadline: NIODeadline, bodyBytesMax: Int, bodyBytesExpected: Int,
        receivePart: (@Sendable ([UInt8]) -> Bool)? = nil
    ) {
        self.proxy = proxy
        self.body = body
        self.deadline = deadline
        self.bodyBytesMax = bodyBytesMax
        self.bodyBytesExpected = bodyBytesExpected
        self.receivePart = receivePart
        var headers = headers
        if !headers.contains(name: "host") { headers.add(name: "Host", value: url.authority) }
        headers.replaceOrAdd(name: "Connection", value: "close")
        if method == .POST { headers.replaceOrAdd(name: "Content-Length", value: String(body.count)) }
        if let authorization = proxy.authorization {
            headers.replaceOrAdd(name: "Proxy-Authorization", value: authorization)
        }
        head = HTTPRequestHead(version: .http1_1, method: method, uri: url.origin + url.target, headers: headers)
    }

    func run(on group: any EventLoopGroup) async throws -> OutboundResponse {
        let eventLoop = group.any()
        let promise = eventLoop.makePromise(of: OutboundResponse.self)
        let (exchange, limit) = (self, bodyBytesMax)
        let timer = eventLoop.scheduleTask(deadline: deadline) { promise.fail(HTTPClientError.deadlineExceeded) }
        let connecting = ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(600))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(
                        NIOHTTPResponseDecompressor(limit: .size(HTTPClientTransport.bodyBytesMax)))
                    try pipeline.addHandler(
                        ResponseReader(
                            promise: promise, bytesMax: limit, bytesExpected: exchange.bodyBytesExpected,
                            receivePart: exchange.receivePart))
                }
            }
            .connect(host: proxy.host, port: proxy.port)
        connecting.whenFailure { promise.fail($0) }
        connecting.whenSuccess { channel in
            // Whoever waits no longer, for whatever reason, needs no connection.
            promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
            exchange.write(to: channel)
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    private func write(to channel: any Channel) {
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !body.isEmpty {
            let buffer = channel.allocator.buffer(bytes: body)
            channel.write(HTTPClientRequestPart.body(.byteBuffer(buffer)), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}

/// Gathers the response, and stops it where its body grows beyond the limit. Lives on the channel's event loop.
private final class ResponseReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<OutboundResponse>
    private let bytesMax: Int
    private let receivePart: (@Sendable ([UInt8]) -> Bool)?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(
        promise: EventLoopPromise<OutboundResponse>, bytesMax: Int, bytesExpected: Int,
        receivePart: (@Sendable ([UInt8]) -> Bool)?
    ) {
        self.promise = promise
        self.bytesMax = bytesMax
        self.receivePart = receivePart
        body.reserveCapacity(bytesExpected)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let part):
            if let receivePart, head?.status == .ok {
                if !receivePart(Array(part.readableBytesView)) { promise.fail(ResponseCollector.BodyTooLong()) }
                return
            }
            guard part.readableBytes <= bytesMax - body.count else {
                promise.fail(ResponseCollector.BodyTooLong())
                return
            }
            part.withUnsafeReadableBytes { body.append(contentsOf: $0) }
        case .end:
            guard let head else { return }
            promise.succeed(
                OutboundResponse(
                    status: Int(head.status.code), reason: head.status.reasonPhrase,
                    headers: head.headers.map { ($0.name, $0.value) }, body: body))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { promise.fail(HTTPClientError.remoteConnectionClosed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
