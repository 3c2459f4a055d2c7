import ByteCoding
import ColdPages
import SeriesModel

/// How the timestamps of series lie in pages. Series of one scrape have the same timestamps: they share one layout, and
/// layouts share columns that are not regular.
///
/// What was written long ago is forgotten, so that the table stays small; the same is then written once more.
struct TimeLayoutTable {
    /// Stands for a column of timestamps. Two with the same are taken for the same: 128 bits, and nobody who sends samples
    /// knows the seeds.
    private struct Key: Hashable {
        let first: UInt64
        let second: UInt64
        let count: Int

        private static let seeds = (UInt64.random(in: 1 ... .max), UInt64.random(in: 1 ... .max))

        init(_ timestamps: UnsafeBufferPointer<Timestamp>) {
            let bytes = UnsafeRawBufferPointer(timestamps)
            first = StableHash.hash(bytes, seed: Key.seeds.0)
            second = StableHash.hash(bytes, seed: Key.seeds.1)
            count = timestamps.count
        }
    }

    /// How the floats of a series are cut.
    struct Layout {
        /// Counts from 0 in the order of the index.
        var number: UInt32
        /// Samples of each page.
        var counts: [Int]
    }

    private struct Column {
        var offset: Int
        var length: Int
    }

    /// Layouts, and as many columns, that are remembered, twice: see `RecentTable`.
    private static let remembered = 4096

    private let cuts: PageCuts
    private let start: Timestamp
    private var layouts = RecentTable<Key, Layout>(capacity: remembered)
    private var columns = RecentTable<Key, Column>(capacity: remembered)
    /// The rows of all layouts as they will stand in the index, and where each ends.
    private(set) var rows = ByteBuilder()
    private(set) var rowEnds: [Int] = []

    init(_ range: TimeRange) {
        start = range.min
        cuts = PageCuts(range, samplesMax: ValuePage.samplesMax)
    }

    /// The layout of timestamps, made where there is none. Columns that are not regular go into the data file.
    mutating func layout(
        of timestamps: UnsafeBufferPointer<Timestamp>, _ scratch: inout ValuePageScratch, _ output: inout DataOutput
    ) -> Layout {
        let key = Key(timestamps)
        if let known = layouts[key] { return known }
        var layout = Layout(number: UInt32(rowEnds.count), counts: [])
        cuts.cut(timestamps, into: &layout.counts)
        rows.appendVarint(layout.counts.count)
        var first = 0
        var previous = start
        var columnEnd = 0
        for count in layout.counts {
            let page = UnsafeBufferPointer(rebasing: timestamps[first..<first + count])
            let (from, to) = (page[0], page[count - 1])
            let step = TimestampColumn.regularStep(page)
            rows.appendVarint(count << 1 | (step == nil ? 1 : 0))
            rows.appendZigzag(from &- previous)
            if let step {
                if count > 1 { rows.appendVarint(UInt64(bitPattern: step)) }
            } else {
                let column = column(page, &scratch, &output)
                rows.appendVarint(UInt64(bitPattern: to &- from))
                rows.appendZigzag(Int64(column.offset - columnEnd))
                rows.appendVarint(column.length)
                columnEnd = column.offset + column.length
            }
            previous = to
            first += count
        }
        rowEnds.append(rows.count)
        layouts[key] = layout
        return layout
    }

    private mutating func column(
        _ timestamps: UnsafeBufferPointer<Timestamp>, _ scratch: inout ValuePageScratch, _ output: inout DataOutput
    ) -> Column {
        let key = Key(timestamps)
        if let known = columns[key] { return known }
        let start = output.bytes.count
        let offset = output.position
        TimestampColumn.encode(timestamps, scratch: &scratch, into: &output.bytes)
        let column = Column(offset: offset, length: output.bytes.count - start)
        output.appendChecksum(from: start)
        columns[key] = column
        return column
    }

    /// The rows from a layout on.
    func rows(from first: Int) -> [ArraySlice<UInt8>] {
        (first..<max(first, rowEnds.count)).map { rows.bytes[($0 == 0 ? 0 : rowEnds[$0 - 1])..<rowEnds[$0]] }
    }

    /// Adds the row of a layout that nothing is going to share.
    mutating func restore(_ row: [UInt8]) {
        rows.append(contentsOf: row)
        rowEnds.append(rows.count)
    }

    /// Nothing is looked up any more; the rows go into the index.
    consuming func finished() -> (rows: [UInt8], ends: [Int]) { (rows.bytes, rowEnds) }
}

/// Remembers at least the last `capacity` keys that were used, and at most twice as many.
struct RecentTable<Key: Hashable, Value> {
    private let capacity: Int
    private var recent: [Key: Value] = [:]
    private var older: [Key: Value] = [:]

    init(capacity: Int) { self.capacity = capacity }

    subscript(key: Key) -> Value? {
        mutating get {
            if let value = recent[key] { return value }
            guard let value = older.removeValue(forKey: key) else { return nil }
            self[key] = value
            return value
        }
        set {
            if recent.count >= capacity {
                older = recent
                recent = [:]
            }
            recent[key] = newValue
        }
    }
}
