/// Finds series by the stable hash of their labels: open addressing over slots, linear probing. Equal hashes are told
/// apart by the caller.
struct LabelHashIndex {
    private var buckets = [UInt32](repeating: LabelHashIndex.empty, count: 256)
    private(set) var count = 0
    private static let empty = UInt32.max

    /// The first slot with that hash that `isWanted` takes.
    @inline(__always)
    func find(_ hash: UInt64, isWanted: (UInt32) -> Bool) -> UInt32? {
        let mask = buckets.count - 1
        var bucket = LabelHashIndex.bucket(hash) & mask
        while true {
            let slot = buckets[bucket]
            if slot == LabelHashIndex.empty { return nil }
            if isWanted(slot) { return slot }
            bucket = (bucket + 1) & mask
        }
    }

    private static func bucket(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> 20) & Int(UInt32.max) }

    mutating func insert(_ slot: UInt32, hash: UInt64, hashOf: (UInt32) -> UInt64) {
        if (count + 1) * 5 > buckets.count * 4 { grow(hashOf) }
        place(slot, hash)
        count += 1
    }

    private mutating func place(_ slot: UInt32, _ hash: UInt64) {
        let mask = buckets.count - 1
        var bucket = LabelHashIndex.bucket(hash) & mask
        while buckets[bucket] != LabelHashIndex.empty { bucket = (bucket + 1) & mask }
        buckets[bucket] = slot
    }

    private mutating func grow(_ hashOf: (UInt32) -> UInt64) {
        let old = buckets
        buckets = [UInt32](repeating: LabelHashIndex.empty, count: old.count * 2)
        for slot in old where slot != LabelHashIndex.empty { place(slot, hashOf(slot)) }
    }

    mutating func remove(_ slot: UInt32, hash: UInt64, hashOf: (UInt32) -> UInt64) {
        let before = count
        OpenAddressing.remove(
            slot, hash: LabelHashIndex.bucket(hash), from: &buckets, empty: LabelHashIndex.empty
        ) { LabelHashIndex.bucket(hashOf($0)) }
        count = before - 1
    }
}
