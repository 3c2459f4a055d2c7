import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Gathers one response on the event loop and stops it where its body grows beyond the limit.
final class ResponseCollector: HTTPClientResponseDelegate {
    struct BodyTooLong: Error {}

    private struct State {
        var head: HTTPResponseHead?
        var body: [UInt8] = []
    }

    private let bytesMax: Int
    private let bytesExpected: Int
    private let receivePart: (@Sendable ([UInt8]) -> Bool)?
    private let state = Mutex(State())

    /// - Parameter receivePart: takes the pieces of a body of status 200 in place of the response.
    init(bytesMax: Int, bytesExpected: Int, receivePart: (@Sendable ([UInt8]) -> Bool)? = nil) {
        self.bytesMax = bytesMax
        self.bytesExpected = bytesExpected
        self.receivePart = receivePart
    }

    /// Whether the server has begun to answer.
    var hasHead: Bool { state.withLock { $0.head != nil } }

    func didReceiveHead(task: HTTPClient.Task<OutboundResponse>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock { state in
            state.head = head
            // What the server announces is believed up to a megabyte; more comes as it comes.
            let announced = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
            state.body.reserveCapacity(min(max(announced, bytesExpected, 0), max(bytesExpected, 1 << 20)))
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<OutboundResponse>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        if let receivePart, state.withLock({ $0.head?.status == .ok }) {
            return receivePart(Array(part.readableBytesView))
                ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(BodyTooLong())
        }
        let fits = state.withLock { state in
            guard part.readableBytes <= bytesMax - state.body.count else { return false }
            part.withUnsafeReadableBytes { state.body.append(contentsOf: $0) }
            return true
        }
        return fits
            ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(BodyTooLong())
    }

    func didFinishRequest(task: HTTPClient.Task<OutboundResponse>) throws -> OutboundResponse {
        guard let response = takeBegun() else { throw HTTPClientError.remoteConnectionClosed }
        return response
    }

    /// What has come, with the body so far; nil before there is a head.
    func takeBegun() -> OutboundResponse? {
        state.withLock { state in
            guard let head = state.head else { return nil }
            let body = state.body
            state.body = []
            return OutboundResponse(
                status: Int(head.status.code), reason: head.status.reasonPhrase,
                headers: head.headers.map { ($0.name, $0.value) }, body: body)
        }
    }
}
