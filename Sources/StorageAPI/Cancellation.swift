import Synchronization

/// A flag that anybody may raise and that long work looks at between pieces of work.
package final class Cancellation: Sendable {
    private let flag = Atomic(false)

    package init() {}

    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    package func cancel() { flag.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` once the flag is up.
    package func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
