import Logging
import Synchronization

/// Lets a line of each kind through now and then, and says how many did not get through: a receiver that is down for a day
/// must not fill the log.
final class LogGate: Sendable {
    private struct Kind {
        var next: ContinuousClock.Instant
        var heldBack = 0
    }

    private static let pause = Duration.seconds(30)
    private let kinds = Mutex<[String: Kind]>([:])
    private let logger: Logger
    /// Everything goes through.
    private let isOpen: Bool

    init(_ logger: Logger, isOpen: Bool) {
        self.logger = logger
        self.isOpen = isOpen
    }

    func warn(_ message: String, _ metadata: Logger.Metadata) {
        let now = ContinuousClock.now
        let heldBack = kinds.withLock { kinds -> Int? in
            if isOpen { return 0 }
            var kind = kinds[message] ?? Kind(next: now)
            defer { kinds[message] = kind }
            guard now >= kind.next else {
                kind.heldBack += 1
                return nil
            }
            defer { kind = Kind(next: now + LogGate.pause) }
            return kind.heldBack
        }
        guard let heldBack else { return }
        var metadata = metadata
        if heldBack > 0 { metadata["not_logged"] = "\(heldBack)" }
        logger.warning("\(message)", metadata: metadata)
    }
}
