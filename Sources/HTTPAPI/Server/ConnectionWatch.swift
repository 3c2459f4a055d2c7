import NIOCore
import Synchronization

/// Notices that the client has gone while its request is being worked on. A client that closes only its sending side
/// counts as gone too, as with upstream.
///
/// Requests of a connection are answered one after the other, so there is one thing to stop at most.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny

    private struct State {
        var isGone = false
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// `stop` is called once the client is gone; at once where it is already.
    func begin(_ stop: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            state.stop = stop
            return state.isGone
        }
        if isGone { stop() }
    }

    func end() { state.withLock { $0.stop = nil } }

    private func clientHasGone() {
        let stop = state.withLock { state in
            state.isGone = true
            return state.stop
        }
        stop?()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.fireChannelRead(data) }

    func channelInactive(context: ChannelHandlerContext) {
        clientHasGone()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { clientHasGone() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        clientHasGone()
        context.fireErrorCaught(error)
    }
}
