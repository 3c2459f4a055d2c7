import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix

/// The HTTP server: one event loop that only moves bytes, worker threads for everything else.
///
/// A tour: `ConnectionSetup` prepares a connection, `Exchange` takes each request through the `Responder` (routing,
/// limits, errors, compression) to a handler out of the route table (`Endpoints/`), and sends the answer.
package final class APIServer: Sendable {
    private typealias Listener = Server<ConnectionSetup>

    private let setup: ConnectionSetup
    private let services: APIServices
    private let logger: Logger
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let running = Running()

    /// - Parameter routes: all that is served, for example `APIRoutes(services).all` and the pages.
    package init(_ services: APIServices, routes: [Route], logger: Logger) {
        self.services = services
        // What the HTTP library says of single connections, cut off ones at the end among them, is no news.
        var quiet = logger
        quiet.logLevel = .critical
        self.logger = quiet
        let metrics = RequestMetrics(services.registry, patterns: routes.map(\.pattern))
        ServerMetrics.register(services)
        let responder = Responder(table: RouteTable(routes), services: services, metrics: metrics)
        setup = ConnectionSetup(
            options: services.options, exchange: Exchange(responder: responder, clock: services.clock))
    }

    /// Starts to listen. - Returns: the addresses with the ports that the system chose.
    /// - Throws: where an address cannot be listened on; nothing listens then.
    package func start(on addresses: [ListenAddress]) async throws -> [ListenAddress] {
        var bound: [ListenAddress] = []
        do {
            for address in addresses { bound.append(try await listen(address)) }
        } catch {
            await stop(within: .zero)
            throw error
        }
        return bound
    }

    private func listen(_ address: ListenAddress) async throws -> ListenAddress {
        let (ports, portSource) = AsyncThrowingStream<Int, any Error>.makeStream()
        let listener = Listener(
            childChannelSetup: setup,
            configuration: ServerConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    services.options.connectionCountMax, logger: logger)),
            onServerRunning: { channel in
                portSource.yield(channel.localAddress?.port ?? address.port)
                portSource.finish()
            }, eventLoopGroup: group, logger: logger)
        let task = Task {
            do {
                try await listener.run()
                portSource.finish()
            } catch {
                portSource.finish(throwing: ListenError(address: address, reason: "\(error)"))
            }
        }
        await running.add(listener, task)
        for try await port in ports { return ListenAddress(host: address.host, port: port) }
        throw ListenError(address: address, reason: "stopped while starting")
    }

    /// Stops to accept, lets requests under way finish within the time given, then cuts them off.
    package func stop(within grace: Duration) async {
        let listeners = await running.takeAll()
        let alarm = Task {
            try await Task.sleep(for: grace)
            for (_, task) in listeners { task.cancel() }
        }
        for (listener, task) in listeners {
            try? await listener.shutdownGracefully()
            await task.value
        }
        alarm.cancel()
        try? await group.shutdownGracefully()
    }

    private actor Running {
        private var listeners: [(Listener, Task<Void, Never>)] = []

        func add(_ listener: Listener, _ task: Task<Void, Never>) { listeners.append((listener, task)) }

        func takeAll() -> [(Listener, Task<Void, Never>)] {
            defer { listeners = [] }
            return listeners
        }
    }
}

/// Why an address cannot be listened on.
package struct ListenError: Error, CustomStringConvertible {
    package let address: ListenAddress
    package let reason: String

    package var description: String { "cannot listen on \(address): \(reason)" }
}
