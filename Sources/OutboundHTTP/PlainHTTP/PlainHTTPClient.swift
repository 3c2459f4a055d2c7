import Glibc
import Synchronization

/// A client for HTTP/1.1 without TLS, over TCP and sockets of this machine: made for the many small answers of scraping.
///
/// The task that asks writes the request itself, on a kept connection or on a new one; one thread reads all responses,
/// whole, and wakes the task once, which then unpacks the body on its own thread.
final class PlainHTTPClient: Sendable {
    /// One request, ready to be sent.
    struct Request: Sendable {
        var destination: Destination
        var bytes: [UInt8]
        /// Whether it may be sent again where a kept connection was closed before anything came back.
        var isRepeatable: Bool
        /// By the monotonic clock. ns
        var deadline: Int64
        /// Decompressed.
        var bodyBytesMax: Int
        var bodyBytesExpected: Int
        var receivePart: (@Sendable ([UInt8]) -> Bool)?
        /// A new connection goes to any of a name's addresses.
        var shufflesAddresses = false
        /// Whether a response that breaks off in its body is one all the same.
        var statusSuffices = false
    }

    private struct State {
        var events: EventThread?
        var isShutDown = false
    }

    /// However many addresses a name has, one is given so long, if there is so much. As Go's dialer. ns
    private static let dialTimeMin: Int64 = 2_000_000_000

    private let resolver: NameResolver
    private let state = Mutex(State())

    init(resolver: NameResolver = NameResolver()) { self.resolver = resolver }

    deinit {
        resolver.stop()
        state.withLock { $0.events }?.stop()
    }

    /// Closes all connections; requests still running fail. Call once, last.
    func shutdown() async {
        resolver.stop()
        let events = state.withLock { state in
            state.isShutDown = true
            return state.events
        }
        events?.stop()
        await events?.waitUntilEnded()
    }

    /// How many connections there are, kept ones among them.
    var connectionCount: Int { state.withLock { $0.events }?.connectionCount ?? 0 }

    /// - Returns: a response whose body is decompressed.
    func send(_ request: Request) async throws(PlainFault) -> PlainResponse {
        var response = try await exchange(request, try eventThread())
        guard response.head.coding != .identity, !response.isStreamed else { return response }
        do throws(ResponseFault) {
            response.body = try BodyInflater.inflate(
                response.body, response.head.coding, bytesMax: request.bodyBytesMax,
                bytesExpected: request.bodyBytesExpected)
        } catch {
            guard request.statusSuffices else { throw .response(error, hasBytes: true) }
            response.body = []
        }
        return response
    }

    /// The thread starts with the first request.
    private func eventThread() throws(PlainFault) -> EventThread {
        try state.withLock { state throws(PlainFault) in
            if state.isShutDown { throw .cancelled }
            if let events = state.events { return events }
            let events = try EventThread { [resolver] now in resolver.expire(now: now) }
            state.events = events
            return events
        }
    }

    private func exchange(_ request: Request, _ events: EventThread) async throws(PlainFault) -> PlainResponse {
        if Task.isCancelled { throw .cancelled }
        let now = MonotonicClock.now
        if let (connection, number) = events.takeIdle(request.destination, deadline: request.deadline, now: now) {
            let result = await run(request, on: connection, number, dialDeadline: request.deadline, events)
            // Nothing was answered, and so it is safe to ask again; not on another kept one, which is as old.
            guard case .failure(.stale(let isUnsent)) = result, isUnsent || request.isRepeatable else {
                return try result.get()
            }
        }
        return try await connect(request, events)
    }

    /// Sends the request over a new connection, to the first address that has somebody who listens.
    private func connect(_ request: Request, _ events: EventThread) async throws(PlainFault) -> PlainResponse {
        let addresses = try await addresses(for: request, events)
        var firstFault: PlainFault?
        for (index, address) in addresses.enumerated() {
            let now = MonotonicClock.now
            if Task.isCancelled { throw .cancelled }
            let left = request.deadline - now
            guard left > 0 else { break }
            let share = max(left / Int64(addresses.count - index), PlainHTTPClient.dialTimeMin)
            do throws(PlainFault) {
                let (socket, isConnected) = try dial(address, events)
                let dialDeadline = now + min(share, left)
                guard
                    let (connection, number) = events.add(
                        socket, isConnected: isConnected, to: request.destination, at: address, deadline: dialDeadline,
                        now: now)
                else { throw .cancelled }
                return try await run(request, on: connection, number, dialDeadline: dialDeadline, events).get()
            } catch {
                guard error.isDialing else { throw error }
                firstFault = firstFault ?? error
            }
        }
        throw firstFault ?? .deadline(hasHead: false)
    }

    private func dial(
        _ address: SocketAddress, _ events: EventThread
    ) throws(PlainFault) -> (socket: Int32, isConnected: Bool) {
        do throws(PlainFault) {
            return try address.connect()
        } catch .system(code: EMFILE) {
            // Kept connections take descriptors that are needed now.
            events.closeIdle()
            return try address.connect()
        }
    }

    private func addresses(
        for request: Request, _ events: EventThread
    ) async throws(PlainFault) -> [SocketAddress] {
        switch request.destination {
        case .unix(let path):
            guard let address = SocketAddress(path: path) else { throw .refused("invalid path of a unix socket") }
            return [address]
        case .tcp(let host, let port), .socks(let host, let port, _):
            // Digits need nobody's help.
            if case .success(let addresses) = SocketAddress.lookUp(host, isNumeric: true) {
                return addresses.map { $0.withPort(port) }
            }
            let answer = await resolver.addresses(of: host, deadline: request.deadline) {
                events.note(request.deadline, now: MonotonicClock.now)
            }
            let addresses = try answer.get().map { $0.withPort(port) }
            return request.shufflesAddresses ? addresses.shuffled() : addresses
        }
    }

    private func run(
        _ request: Request, on connection: PlainConnection, _ number: UInt64, dialDeadline: Int64,
        _ events: EventThread
    ) async -> Result<PlainResponse, PlainFault> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let exchange = PlainConnection.Exchange(
                    number: number, deadline: request.deadline, dialDeadline: dialDeadline, bytes: request.bytes,
                    bodyBytesMax: request.bodyBytesMax, bodyBytesExpected: request.bodyBytesExpected,
                    receivePart: request.receivePart, statusSuffices: request.statusSuffices,
                    continuation: continuation)
                events.settle(connection, connection.begin(exchange))
                // The handler may have run before there was anything to end.
                if Task.isCancelled { events.cancel(connection, number) }
            }
        } onCancel: {
            events.cancel(connection, number)
        }
    }
}
