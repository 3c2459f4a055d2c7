import OwnThreads
import StorageFiles
import Synchronization

/// The number of the newest record that was acknowledged, and those who wait for the next one. Where nobody waits an
/// append costs two atomic operations more, and no lock.
final class NewestRecord: Sendable {
    private let current: Atomic<LSN>
    private let waiterCount = Atomic(0)
    private let ended = Atomic(false)
    private let monitor = Monitor(())

    init(_ number: LSN) { current = Atomic(number) }

    var number: LSN { current.load(ordering: .acquiring) }

    /// No record will follow: who waits is woken, and nobody waits any more.
    var isEnded: Bool { ended.load(ordering: .acquiring) }

    /// By one thread at a time.
    func publish(_ number: LSN) {
        // Both in one order with those of `wait`: either this finds the waiter, or the waiter the record.
        current.store(number, ordering: .sequentiallyConsistent)
        if waiterCount.load(ordering: .sequentiallyConsistent) > 0 { wake() }
    }

    func end() {
        ended.store(true, ordering: .releasing)
        wake()
    }

    /// Those who wait look again.
    func wake() { monitor.change { _ in } }

    /// Waits for a record behind one, for the end, or until `isOver` says so; no longer than so long.
    func wait(beyond number: LSN, milliseconds: Int64, _ isOver: () -> Bool) {
        waiterCount.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer { waiterCount.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
        let _: Void? = monitor.wait(milliseconds: milliseconds) { _ in
            let isThere = current.load(ordering: .sequentiallyConsistent) > number
            return isThere || isEnded || isOver() ? () : nil
        }
    }
}
