import CPosixShim
import Glibc

/// What goes before the first request where the destination lies behind a SOCKS proxy; under the connection's lock.
extension PlainConnection {
    /// The socket has connected.
    func opened(_ state: inout State) -> Outcome {
        guard case .socks(_, _, let route) = destination else {
            state.phase = .open
            return send(&state)
        }
        state.phase = .negotiating(SOCKSHandshake(route))
        return negotiate(&state)
    }

    /// Goes on with the handshake as far as it goes; behind it the request follows.
    func negotiate(_ state: inout State) -> Outcome {
        guard case .negotiating(var handshake) = state.phase else { return .goesOn }
        while true {
            if !handshake.outgoing.isEmpty {
                let descriptor = state.socket
                let count = handshake.outgoing.withUnsafeBytes { bytes in
                    Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                }
                if count >= 0 {
                    handshake.outgoing.removeFirst(count)
                } else if errno == EAGAIN {
                    state.phase = .negotiating(handshake)
                    return watch(&state, HEARTH_POLL_READABLE | HEARTH_POLL_WRITABLE)
                } else if errno != EINTR {
                    return close(&state, fault("write: " + OutboundError.systemText(errno)))
                }
                continue
            }
            if handshake.isComplete {
                state.phase = .open
                return send(&state)
            }
            // No more than belongs to the handshake: what follows is the target's.
            var bytes = [UInt8](repeating: 0, count: handshake.wantedCount)
            let count = recv(state.socket, &bytes, bytes.count, 0)
            if count > 0 {
                do throws(SOCKSHandshake.Failure) {
                    try bytes.withUnsafeBufferPointer { bytes throws(SOCKSHandshake.Failure) in
                        try handshake.take(UnsafeBufferPointer(rebasing: bytes.prefix(count)))
                    }
                } catch {
                    return close(&state, fault(error.reason))
                }
            } else if count == 0 {
                return close(&state, fault("EOF"))
            } else if errno == EAGAIN {
                state.phase = .negotiating(handshake)
                return watch(&state, HEARTH_POLL_READABLE)
            } else if errno != EINTR {
                return close(&state, fault("read: " + OutboundError.systemText(errno)))
            }
        }
    }

    private func fault(_ reason: String) -> PlainFault {
        guard case .socks(_, _, let route) = destination else { return .cancelled }
        return .socks(address, target: route.text, reason: reason)
    }
}
