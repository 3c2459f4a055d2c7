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
        let statusSuffices: Bool
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

    enum Phase {
        /// Before its first exchange.
        case fresh(isConnected: Bool)
        case connecting
        /// With a SOCKS proxy, about whom to connect with.
        case negotiating(SOCKSHandshake)
        case open
        case closed
    }

    /// Only under the lock.
    struct State {
        var socket: Int32
        var phase: Phase
        var exchange: Exchange?
        var parser = ResponseParser()
        var inflater: BodyInflater?
        /// How much of the request has gone out.
        var sentCount = 0
        /// For what the socket is watched, HEARTH_POLL_*; nil before it is.
        var watched: Int32?
        var hasReceived = false
        /// Whether it has served an exchange before.
        var isKept = false
    }

    let destination: Destination
    let address: SocketAddress
    /// What events bear.
    let token: UInt64
    let poll: Int32
    private let state: Mutex<State>

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
            case .connecting, .negotiating: return .goesOn
            case .open: return send(&state)
            case .fresh(isConnected: true): return opened(&state)
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
                return opened(&state)
            }
            if case .negotiating = state.phase { return negotiate(&state) }
            if readiness & HEARTH_POLL_READABLE != 0 {
                let outcome = receive(&state, buffer)
                switch outcome {
                case .goesOn: break
                case .begun where (state.watched ?? 0) & HEARTH_POLL_WRITABLE != 0: break
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
