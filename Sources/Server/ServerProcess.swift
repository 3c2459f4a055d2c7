import HTTPAPI
import Logging
import SelfMetrics
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// The server as a process: from flags to exit status.
package enum ServerProcess {
    /// Serves until a signal, or `/-/quit`, ends it.
    /// - Parameter onReady: called once everything runs.
    /// - Returns: the exit status: 0 after a clean stop, 1 where the server cannot start.
    package static func run(_ flags: FlagValues, onReady: @escaping @Sendable () -> Void = {}) async -> Int32 {
        let logger = ServerLog.logger(levelName: flags.string("log.level"), formName: flags.string("log.format"))
        for warning in flags.warnings { logger.warning("\(warning)") }
        let signals = SignalWatch()
        let server: RunningServer
        do {
            server = try await RunningServer(flags: flags, logger: logger, signals: signals)
        } catch {
            logger.error("cannot start", metadata: ["error": "\(error)"])
            return 1
        }
        onReady()
        for await event in signals.events {
            switch event {
            case .reload:
                // Success and failure are in the log, and in a metric.
                try? await server.reload()
            case .stop:
                await server.stop()
                return 0
            }
        }
        return 0
    }
}
