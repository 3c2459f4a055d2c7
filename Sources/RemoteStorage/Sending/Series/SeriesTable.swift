import SeriesModel

/// What the log's numbers stand for: for each series a slot with its prepared labels in packed slabs, without an object
/// for any of them.
///
/// Rows that wait to be sent name slots. When a number becomes another series' its old slot stays until the record that
/// said so has been delivered, and with it all rows from before; then slot and bytes are used again. Slabs are written
/// anew when half of them is dead.
///
/// Not for several threads at once: stands behind a mutex. Memory in proportion to the series and to the highest number.
struct SeriesTable {
    /// In place of a slot: nobody said what the number is.
    static let unknown = UInt32.max
    /// In place of a slot: rules drop the series.
    static let dropped = UInt32.max - 1

    private struct Retired {
        var slot: UInt32
        var record: UInt64
    }

    private static let pageBits: UInt32 = 12
    /// Slots by number, in pages, so that one high number takes one page.
    private var pages: [[UInt32]] = []
    private var slabs = LabelSlabs()
    private var places: [LabelSlabs.Place] = []
    private var lengths: [UInt32] = []
    private var hashes: [UInt32] = []
    private var metadata: [MetadataMemory] = []
    private var freeSlots: [UInt32] = []
    private var retired: [Retired] = []
    private var retiredHead = 0
    private var deadBytes = 0

    /// What was found as the metadata of a slot's metric, and in which version of all metadata.
    struct MetadataMemory {
        var version: UInt32 = 0
        var index: UInt32 = .max
    }

    init() {}

    /// - Returns: a slot, `unknown` or `dropped`.
    @inline(__always)
    func slot(of number: UInt32) -> UInt32 {
        let page = Int(number >> SeriesTable.pageBits)
        guard page < pages.count, !pages[page].isEmpty else { return SeriesTable.unknown }
        return pages[page][Int(number & (1 << SeriesTable.pageBits - 1))]
    }

    /// Of the labels that are sent: the same in every process.
    @inline(__always)
    func hash(of slot: UInt32) -> UInt32 { hashes[Int(slot)] }

    func withBytes<R>(of slot: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        slabs.withBytes(at: places[Int(slot)], count: lengths[Int(slot)], body)
    }

    var slotCount: Int { places.count - freeSlots.count }
    var byteCount: Int { slabs.byteCount }

    /// From a record on a number is that series'.
    mutating func set(_ number: UInt32, _ series: LabelSet, from record: UInt64, _ preparation: SeriesPreparation) {
        let old = slot(of: number)
        guard let labels = preparation.labels(of: series) else {
            retire(old, record)
            return put(SeriesTable.dropped, at: number)
        }
        preparation.bytes(of: labels).withUnsafeBytes { bytes in
            if old < SeriesTable.dropped, withBytes(of: old, { $0.elementsEqual(bytes) }) { return }
            retire(old, record)
            put(add(bytes, hash: labels.stableHash), at: number)
        }
    }

    private mutating func put(_ slot: UInt32, at number: UInt32) {
        let page = Int(number >> SeriesTable.pageBits)
        while pages.count <= page { pages.append([]) }
        if pages[page].isEmpty {
            pages[page] = [UInt32](repeating: SeriesTable.unknown, count: 1 << SeriesTable.pageBits)
        }
        pages[page][Int(number & (1 << SeriesTable.pageBits - 1))] = slot
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32 {
        let place = slabs.append(bytes)
        let hash = UInt32(truncatingIfNeeded: hash >> 32)
        if let slot = freeSlots.popLast() {
            places[Int(slot)] = place
            lengths[Int(slot)] = UInt32(bytes.count)
            hashes[Int(slot)] = hash
            metadata[Int(slot)] = MetadataMemory()
            return slot
        }
        places.append(place)
        lengths.append(UInt32(bytes.count))
        hashes.append(hash)
        metadata.append(MetadataMemory())
        return UInt32(places.count - 1)
    }

    private mutating func retire(_ slot: UInt32, _ record: UInt64) {
        if slot < SeriesTable.dropped { retired.append(Retired(slot: slot, record: record)) }
    }

    /// Takes back the slots that no waiting row can name any more.
    /// - Parameter record: all rows of records before it are delivered.
    mutating func reclaim(before record: UInt64) {
        while retiredHead < retired.count, retired[retiredHead].record <= record {
            let slot = retired[retiredHead].slot
            retiredHead += 1
            deadBytes += Int(lengths[Int(slot)])
            lengths[Int(slot)] = 0
            freeSlots.append(slot)
        }
        if retiredHead > 1024, retiredHead * 2 > retired.count {
            retired.removeFirst(retiredHead)
            retiredHead = 0
        }
        if deadBytes > LabelSlabs.slabBytes, deadBytes * 2 > slabs.byteCount { compact() }
    }

    private mutating func compact() {
        var fresh = LabelSlabs()
        for slot in places.indices where lengths[slot] > 0 {
            places[slot] = slabs.withBytes(at: places[slot], count: lengths[slot]) { fresh.append($0) }
        }
        slabs = fresh
        deadBytes = 0
    }

    /// Which entry of the metadata is that of a slot's metric, nil for none; looked up once in each version.
    mutating func metadata(of slot: UInt32, in book: MetadataBook) -> Int? {
        if metadata[Int(slot)].version != book.version {
            let found = withBytes(of: slot) { book.index(ofPacked: $0) }
            metadata[Int(slot)] = MetadataMemory(version: book.version, index: found.map { UInt32($0) } ?? .max)
        }
        let index = metadata[Int(slot)].index
        return index == .max ? nil : Int(index)
    }
}
