import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// The backend that the demo watches: a real HTTP server on loopback whose `/metrics` shows a simulated application.
final class DemoBackend: Sendable {
    private let state = Mutex(SimulatedBackend())

    /// Serves until the task is cancelled, moving the simulation on each second.
    /// - Parameter onReady: gets the port, chosen by the system.
    func run(logger: Logger, onReady: @escaping @Sendable (Int) -> Void) async throws {
        var quiet = logger
        quiet.logLevel = .warning
        let router = Router()
        router.get("/metrics") { [self] _, _ in
            let body = state.withLock { $0.exposition(process: ProcessFigures()) }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: body)))
        }
        router.get("/health") { _, _ in "ok" }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: "demo-backend"),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) }, logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask { [self] in
                while true {
                    try await Task.sleep(for: .seconds(1))
                    state.withLock { $0.tick() }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
