import Synchronization

/// Counts the requests that hang at each server until there is news. The HTTP client opens at most a thousand connections
/// to a host, and more requests wait for one of them to end: so less than that may hang, for the rest to be answered.
package final class HangingRequests: Sendable {
    /// Some below what the client opens.
    static let standardMax = 900

    private let max: Int
    private let counts = Mutex<[String: Int]>([:])

    init(max: Int = standardMax) { self.max = max }

    /// - Returns: whether one more may hang there; `end` must follow then.
    func begin(at server: String) -> Bool {
        counts.withLock { counts in
            guard counts[server, default: 0] < max else { return false }
            counts[server, default: 0] += 1
            return true
        }
    }

    func end(at server: String) {
        counts.withLock { counts in
            let count = counts[server, default: 0] - 1
            counts[server] = count > 0 ? count : nil
        }
    }
}
