import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// The labels of the head's series, each pair of name and value once: its packed bytes (a piece of `LabelSet.packed`,
/// so that a label set is the concatenation of its pairs), and the slots of the series that have it.
///
/// Changed by the committer under the gate held exclusively. Bytes and numbers of a pair that nobody has any more are
/// retired, not freed: a view may still make label sets of them.
final class PairTable: @unchecked Sendable {
    struct Pair {
        let bytes: UnsafeMutableRawPointer
        let length: UInt32
        let name: UInt32
        let hash: UInt32
        /// Its place in the list of its name.
        fileprivate var place: UInt32
        var slots = SlotSet()

        var packed: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: Int(length)) }
    }

    struct Name {
        let text: String
        /// In no particular order.
        fileprivate(set) var pairs: [UInt32] = []
    }

    private let slabs: SlabAllocator
    private let table = StableTable<Pair>()
    private var freeNumbers: [UInt32] = []
    private var names: [Name] = []
    private var nameNumbers: [[UInt8]: UInt32] = [:]
    /// Open addressing by hash, linear probing; `PairTable.empty` where nothing is. Its size is a power of two.
    private var buckets = [UInt32](repeating: PairTable.empty, count: 64)
    /// Pairs that some series has.
    private(set) var count = 0
    private static let empty = UInt32.max

    init(_ slabs: SlabAllocator) { self.slabs = slabs }

    @inline(__always)
    subscript(number: UInt32) -> UnsafeMutablePointer<Pair> { table[number] }

    /// The bytes of a pair. For readers too: the pair is not copied, for the committer may be changing its slots.
    @inline(__always)
    func packed(_ number: UInt32) -> UnsafeRawBufferPointer {
        let pair = table[number]
        return UnsafeRawBufferPointer(start: pair.pointee.bytes, count: Int(pair.pointee.length))
    }

    // MARK: - Look-up

    private static func hash(_ packed: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: StableHash.hash(packed))
    }

    func number(of packed: UnsafeRawBufferPointer) -> UInt32? { number(of: packed, PairTable.hash(packed)) }

    private func number(of packed: UnsafeRawBufferPointer, _ hash: UInt32) -> UInt32? {
        let mask = buckets.count - 1
        var bucket = Int(hash) & mask
        while buckets[bucket] != PairTable.empty {
            let pair = table[buckets[bucket]]
            if pair.pointee.hash == hash, pair.pointee.packed.hasSameBytes(as: packed) { return buckets[bucket] }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    func number(name: String, value: String) -> UInt32? {
        var packed: [UInt8] = []
        for text in [name, value] {
            LabelSet.appendLength(text.utf8.count, to: &packed)
            packed.append(contentsOf: text.utf8)
        }
        return packed.withUnsafeBytes { number(of: $0) }
    }

    /// The pairs of a label name, in no particular order.
    func pairs(ofName name: String) -> [UInt32] {
        guard let number = nameNumbers[Array(name.utf8)] else { return [] }
        return names[Int(number)].pairs
    }

    /// Names that some series has.
    var usedNames: [String] { names.filter { !$0.pairs.isEmpty }.map(\.text) }

    func forEachPair(_ body: (_ name: String, _ pair: UInt32, _ seriesCount: Int) -> Void) {
        for name in names {
            for number in name.pairs { body(name.text, number, Int(table[number].pointee.slots.count)) }
        }
    }

    /// The value of a pair. For readers too, as long as the pair is held by their view.
    func value(of number: UInt32) -> String {
        String(decoding: PairTable.parts(packed(number)).value, as: UTF8.self)
    }

    /// By name, then by value, both by their bytes. For readers too.
    func precedes(_ a: UInt32, _ b: UInt32) -> Bool {
        let (left, right) = (packed(a), packed(b))
        let (leftName, leftValue) = PairTable.parts(left)
        let (rightName, rightValue) = PairTable.parts(right)
        if leftName.elementsEqual(rightName) { return leftValue.lexicographicallyPrecedes(rightValue) }
        return leftName.lexicographicallyPrecedes(rightName)
    }

    private static func parts(_ packed: UnsafeRawBufferPointer) -> (
        name: Slice<UnsafeRawBufferPointer>, value: Slice<UnsafeRawBufferPointer>
    ) {
        var position = 0
        let name = LabelSet.nextText(in: packed, at: &position)
        return (packed[name], packed[LabelSet.nextText(in: packed, at: &position)])
    }

    // MARK: - Changes

    /// The number of a pair, which is entered if it is not there.
    /// - Parameters:
    ///   - packed: length, name, length, value.
    ///   - name: where in `packed` the name lies.
    func enter(_ packed: UnsafeRawBufferPointer, name: Range<Int>) -> UInt32 {
        let hash = PairTable.hash(packed)
        if let known = number(of: packed, hash) { return known }
        let nameNumber = enterName(Array(packed[name]))
        let bytes = slabs.allocate(packed.count)
        bytes.copyMemory(from: packed.baseAddress ?? UnsafeRawPointer(bytes), byteCount: packed.count)
        let pair = Pair(
            bytes: bytes, length: UInt32(packed.count), name: nameNumber, hash: hash,
            place: UInt32(names[Int(nameNumber)].pairs.count))
        let number: UInt32
        if let free = freeNumbers.popLast() {
            number = free
            table[number].pointee = pair
        } else {
            number = UInt32(table.count)
            table.append(pair)
        }
        names[Int(nameNumber)].pairs.append(number)
        count += 1
        if count * 2 > buckets.count { grow() }
        place(number, hash)
        return number
    }

    private func enterName(_ bytes: [UInt8]) -> UInt32 {
        if let number = nameNumbers[bytes] { return number }
        let number = UInt32(names.count)
        names.append(Name(text: String(decoding: bytes, as: UTF8.self)))
        nameNumbers[bytes] = number
        return number
    }

    private func place(_ number: UInt32, _ hash: UInt32) {
        let mask = buckets.count - 1
        var bucket = Int(hash) & mask
        while buckets[bucket] != PairTable.empty { bucket = (bucket + 1) & mask }
        buckets[bucket] = number
    }

    private func grow() {
        let old = buckets
        buckets = [UInt32](repeating: PairTable.empty, count: old.count * 2)
        for number in old where number != PairTable.empty { place(number, table[number].pointee.hash) }
    }

    /// Takes a pair that no series has out of all look-ups. Its bytes and number stay until `release`.
    func remove(_ number: UInt32) {
        let pair = table[number]
        let name = Int(pair.pointee.name)
        let place = Int(pair.pointee.place)
        let last = names[name].pairs.removeLast()
        if last != number {
            names[name].pairs[place] = last
            table[last].pointee.place = UInt32(place)
        }
        OpenAddressing.remove(number, hash: Int(pair.pointee.hash), from: &buckets, empty: PairTable.empty) {
            Int(table[$0].pointee.hash)
        }
        count -= 1
    }

    /// Nobody looks at a removed pair any more: its number may be given to another.
    func release(_ number: UInt32) {
        let pair = table[number]
        slabs.deallocate(pair.pointee.bytes, Int(pair.pointee.length))
        pair.pointee.slots = SlotSet()
        freeNumbers.append(number)
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let base = baseAddress, let otherBase = other.baseAddress else { return true }
        return memcmp(base, otherBase, count) == 0
    }
}

/// What two hash tables of numbers share.
enum OpenAddressing {
    /// Takes a number out of a table with linear probing, and closes the gap (Knuth, TAOCP 6.4, algorithm R).
    static func remove(
        _ number: UInt32, hash: Int, from buckets: inout [UInt32], empty: UInt32, hashOf: (UInt32) -> Int
    ) {
        let mask = buckets.count - 1
        var gap = hash & mask
        while buckets[gap] != number {
            if buckets[gap] == empty { return }
            gap = (gap + 1) & mask
        }
        var next = gap
        while true {
            buckets[gap] = empty
            while true {
                next = (next + 1) & mask
                if buckets[next] == empty { return }
                let home = hashOf(buckets[next]) & mask
                // Whoever's way from home passes the gap moves into it.
                let isBetween = gap <= next ? gap < home && home <= next : gap < home || home <= next
                if !isBetween { break }
            }
            buckets[gap] = buckets[next]
            gap = next
        }
    }
}
