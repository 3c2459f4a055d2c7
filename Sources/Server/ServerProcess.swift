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
        let starting = Task {
            defer { signals.noteStarted() }
            return try await RunningServer(flags: flags, logger: logger, signals: signals)
        }
        var server: RunningServer?
        var mustReload = false
        for await event in signals.events {
            switch event {
            case .started:
                do {
                    server = try await starting.value
                } catch {
                    logger.error("cannot start", metadata: ["error": "\(error)"])
                    return 1
                }
                onReady()
                if mustReload { try? await server?.reload() }
            case .reload:
                // The file that is being read may be from before the change.
                mustReload = true
                // Success and failure are in the log, and in a metric.
                try? await server?.reload()
            case .stop:
                guard let server else {
                    // A long replay is nothing to wait for: nothing is lost by a death in it.
                    logger.info("stopped while starting")
                    return 0
                }
                await server.stop()
                return 0
            }
        }
        return 0
    }
}
