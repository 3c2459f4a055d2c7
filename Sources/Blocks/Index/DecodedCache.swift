import StorageAPI
import Synchronization

/// The blocks of an index that were decoded last. Its lock is held only to look and to put: blocks are made without it,
/// and live as long as somebody uses them.
///
/// Direct-mapped: key k has its place at k modulo the size.
final class DecodedCache<Value: AnyObject & Sendable>: Sendable {
    private struct Slot {
        var key = -1
        var value: Value?
    }

    private let slots: Mutex<[Slot]>
    private let count: Int

    init(count: Int) {
        self.count = count
        slots = Mutex([Slot](repeating: Slot(), count: count))
    }

    /// - Parameters:
    ///   - key: not negative.
    ///   - make: decodes the value; two threads may do so at once.
    func value(_ key: Int, _ make: () throws(StorageError) -> Value) throws(StorageError) -> Value {
        let place = key % count
        let known = slots.withLock { slots in slots[place].key == key ? slots[place].value : nil }
        if let known { return known }
        let value = try make()
        slots.withLock { slots in slots[place] = Slot(key: key, value: value) }
        return value
    }
}
