import CPosixShim
import Glibc
import Synchronization

/// One connection to a server, and the exchange that is under way on it.
///
/// Whoever asks writes the request; what comes back is read by the event thread. Both do so under the connection's lock,
/// and whoever takes the exchange out of it under that lock, and nobody else, answers for it.
final class PlainConnection: Sendable {
    /// A request that waits for its response.
    struct Exchange: Sendable {
        /// Unlike that of any other exchange.
        let number: UInt64
        /// ns
        let deadline: Int64
        /// No later than the deadline. ns
        let dialDeadline: Int64
        let bytes: [UInt8]
        let bodyBytesMax: Int
        let bodyBytesExpected: Int
        let receivePart: (@Sendable ([UInt8]) -> Bool)?
        let continuation: CheckedContinuation<Result<PlainResponse, PlainFault>, Never>
    }

    /// What became of the connection.
    enum Outcome: Sendable {
        /// Nothing yet.
        case goesOn
        /// A response has begun to come; the rest follows, as a rule at once.
        case begun
        /// It may serve another exchange.
        case free(Answer)
        /// It is closed; without an answer where nobody waited.
        case closed(Answer?)
    }

    struct Answer: Sendable {
        let exchange: Exchange
        let result: Result<PlainResponse, PlainFault>

        func deliver() { exchange.continuation.resume(returning: result) }
    }

    private enum Phase {
        /// Before its first exchange.
        case fresh(isConnected: Bool)
        case connecting
        case open
        case closed
    }

    private struct State {
        var socket: Int32
        var phase: Phase
        var exchange: Exchange?
        var parser = ResponseParser()
        var inflater: BodyInflater?
        /// How much of the request has gone out.
        var sentCount = 0
        /// For what the socket is watched, HEARTH_POLL_*; 0 while it is not.
        var watched: Int32 = 0
        var hasReceived = false
        /// Whether it has served an exchange before.
        var isKept = false
    }

    let destination: Destination
    private let address: SocketAddress
    /// What events bear.
    let token: UInt64
    private let poll: Int32
    private let state: Mutex<State>

    /// So often is one connection read before others have their turn.
    private static let readsMax = 16

    /// - Parameters:
    ///   - poll: what watches the socket, once there is an exchange.
    ///   - socket: is closed by the connection.
    init(
        to destination: Destination, at address: SocketAddress, socket: Int32, isConnected: Bool, poll: Int32,
        token: UInt64
    ) {
        self.destination = destination
        self.address = address
        self.token = token
        self.poll = poll
        state = Mutex(State(socket: socket, phase: .fresh(isConnected: isConnected)))
    }

    // MARK: For whoever asks

    /// Sends a request, or as much as goes at once.
    func begin(_ exchange: Exchange) -> Outcome {
        state.withLock { state in
            state.exchange = exchange
            state.parser.begin(
                bodyBytesMax: exchange.bodyBytesMax, bodyBytesExpected: exchange.bodyBytesExpected,
                isStreaming: exchange.receivePart != nil)
            (state.sentCount, state.hasReceived, state.inflater) = (0, false, nil)
            switch state.phase {
            case .closed: return close(&state, .stale(isUnsent: true))
            case .connecting: return .goesOn
            case .open: return send(&state)
            case .fresh(isConnected: true):
                state.phase = .open
                return send(&state)
            case .fresh(isConnected: false):
                state.phase = .connecting
                return watch(&state, HEARTH_POLL_WRITABLE)
            }
        }
    }

    // MARK: For the event thread

    /// The socket is ready, or broken.
    /// - Parameter buffer: to read into.
    func handle(_ readiness: Int32, _ buffer: ReadBuffer) -> Outcome {
        state.withLock { state in
            if case .closed = state.phase { return .goesOn }
            // Nobody asks: the server closes a kept connection, or talks out of turn.
            guard state.exchange != nil else { return close(&state, nil) }
            if case .connecting = state.phase {
                if let code = PlainConnection.error(of: state.socket) {
                    return close(&state, .dial(address, code: code))
                }
                state.phase = .open
                return send(&state)
            }
            if readiness & HEARTH_POLL_READABLE != 0 {
                let outcome = receive(&state, buffer)
                switch outcome {
                case .goesOn: break
                case .begun where state.watched & HEARTH_POLL_WRITABLE != 0: break
                default: return outcome
                }
            }
            guard readiness & HEARTH_POLL_WRITABLE != 0, let exchange = state.exchange,
                state.sentCount < exchange.bytes.count
            else { return .goesOn }
            return send(&state)
        }
    }

    /// An exchange that goes on, and when its time will be up.
    struct Due: Sendable {
        let number: UInt64
        /// ns
        let deadline: Int64
    }

    /// Ends an exchange whose time is up.
    /// - Returns: when it is not, when it will be.
    func expire(now: Int64) -> (outcome: Outcome, next: Due?) {
        var next: Due?
        let outcome = state.withLock { state -> Outcome in
            guard let exchange = state.exchange else { return .goesOn }
            if now >= exchange.deadline { return close(&state, .deadline(hasHead: state.parser.head != nil)) }
            next = Due(number: exchange.number, deadline: exchange.deadline)
            if case .connecting = state.phase {
                if now >= exchange.dialDeadline { return close(&state, .dialTimeout(address)) }
                next = Due(number: exchange.number, deadline: exchange.dialDeadline)
            }
            return .goesOn
        }
        if case .goesOn = outcome { return (outcome, next) }
        return (outcome, nil)
    }

    /// Ends an exchange that nobody waits for any longer.
    func cancel(_ number: UInt64) -> Outcome {
        state.withLock { state in
            state.exchange?.number == number ? close(&state, .cancelled) : .goesOn
        }
    }

    /// Closes the connection whatever happens on it.
    func end() -> Outcome { state.withLock { close(&$0, .cancelled) } }

    // MARK: Under the lock

    private func send(_ state: inout State) -> Outcome {
        guard let bytes = state.exchange?.bytes else { return .goesOn }
        var isBlocked = false
        while state.sentCount < bytes.count, !isBlocked {
            let (descriptor, offset) = (state.socket, state.sentCount)
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    Glibc.send(descriptor, $0 + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
                } ?? 0
            }
            if count >= 0 {
                state.sentCount += count
            } else if errno == EAGAIN {
                isBlocked = true
            } else if errno != EINTR {
                let code = errno
                let isStale = state.isKept && (code == EPIPE || code == ECONNRESET)
                return close(
                    &state, isStale ? .stale(isUnsent: state.sentCount == 0) : .broken(code: code, isReading: false))
            }
        }
        return watch(&state, HEARTH_POLL_READABLE | (isBlocked ? HEARTH_POLL_WRITABLE : 0))
    }

    private func watch(_ state: inout State, _ readiness: Int32) -> Outcome {
        guard readiness != state.watched else { return .goesOn }
        let code =
            state.watched == 0
            ? hearth_poll_add(poll, state.socket, token, readiness)
            : hearth_poll_change(poll, state.socket, token, readiness)
        state.watched = readiness
        return code == 0 ? .goesOn : close(&state, .system(code: code))
    }

    private func receive(_ state: inout State, _ buffer: ReadBuffer) -> Outcome {
        let buffer = buffer.bytes
        for _ in 0..<PlainConnection.readsMax {
            let count = recv(state.socket, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                state.hasReceived = true
                let outcome = take(&state, UnsafeBufferPointer(rebasing: buffer[..<count]))
                guard case .begun = outcome, count == buffer.count else { return outcome }
            } else if count == 0 {
                return takeEnd(&state)
            } else if errno == EAGAIN {
                return .goesOn
            } else if errno != EINTR {
                let isStale = state.isKept && !state.hasReceived
                return close(&state, isStale ? .stale(isUnsent: false) : .broken(code: errno, isReading: true))
            }
        }
        return .goesOn
    }

    private func take(_ state: inout State, _ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        do throws(ResponseFault) {
            let count = try state.parser.take(bytes)
            guard try handOver(&state) else { throw .bodyTooLong }
            guard state.parser.isComplete else { return .begun }
            return finish(&state, mayBeKept: count == bytes.count)
        } catch {
            return close(&state, .response(error, hasBytes: true))
        }
    }

    private func takeEnd(_ state: inout State) -> Outcome {
        if state.isKept, !state.hasReceived { return close(&state, .stale(isUnsent: false)) }
        do throws(ResponseFault) {
            try state.parser.takeEnd()
            return finish(&state, mayBeKept: false)
        } catch {
            return close(&state, .response(error, hasBytes: state.hasReceived))
        }
    }

    /// Gives pieces of the body to whoever takes them.
    /// - Returns: false when they want no more.
    private func handOver(_ state: inout State) throws(ResponseFault) -> Bool {
        guard state.parser.streamsBody, let receivePart = state.exchange?.receivePart else { return true }
        let part = state.parser.takePart()
        if part.isEmpty { return true }
        guard let coding = state.parser.head?.coding, coding != .identity else { return receivePart(part) }
        if state.inflater == nil { state.inflater = try BodyInflater(coding, start: part) }
        return try state.inflater?.inflate(part: part, receivePart) ?? true
    }

    private func finish(_ state: inout State, mayBeKept: Bool) -> Outcome {
        let isStreamed = state.parser.streamsBody
        if isStreamed, let inflater = state.inflater, !inflater.isAtEnd {
            return close(&state, .response(.endedEarly(hasHead: true), hasBytes: true))
        }
        guard let exchange = state.exchange, let (head, body) = state.parser.takeResponse() else {
            return close(&state, .response(.malformedHead, hasBytes: true))
        }
        let answer = Answer(
            exchange: exchange, result: .success(PlainResponse(head: head, body: body, isStreamed: isStreamed)))
        state.exchange = nil
        state.inflater = nil
        if mayBeKept, head.keepsConnection, state.sentCount == exchange.bytes.count {
            state.isKept = true
            return .free(answer)
        }
        _ = close(&state, nil)
        return .closed(answer)
    }

    /// Closes the socket and ends the exchange, if there is one, for a reason.
    private func close(_ state: inout State, _ fault: PlainFault?) -> Outcome {
        if state.socket >= 0 {
            // That it is watched no longer comes with it.
            Glibc.close(state.socket)
            state.socket = -1
        }
        state.phase = .closed
        state.parser = ResponseParser()
        state.inflater = nil
        guard let exchange = state.exchange, let fault else { return .closed(nil) }
        state.exchange = nil
        return .closed(Answer(exchange: exchange, result: .failure(fault)))
    }

    /// Why a socket could not connect; nil where it could.
    private static func error(of socket: Int32) -> Int32? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
        return code == 0 ? nil : code
    }
}

/// What the event thread reads into, one connection after the other.
struct ReadBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>
}

/// A response as it came.
struct PlainResponse: Sendable {
    var head: ResponseHead
    /// Compressed, where the head says so and it was not handed over in pieces.
    var body: [UInt8]
    var isStreamed: Bool
}
