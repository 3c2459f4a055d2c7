import ByteCoding
import ColdPages
import SeriesModel
import StorageAPI
import StorageFiles

/// Gathers the index of a block while its series are written, and writes it at the end: symbols can only be numbered in
/// byte order once all are known. Held per series: four bytes a label, and its row as it will stand in the file.
struct IndexBuilder {
    /// Bytes that are hashed and compared as bytes.
    private struct Key: Hashable {
        var bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private struct Series {
        /// Where in `seriesPairs` and `rows` its parts end.
        var pairsEnd: Int
        var rowEnd: Int
        var offset: Int
        var layout: UInt32
    }

    private let start: Timestamp
    private var symbols: [Key: UInt32] = [:]
    /// A label's packed bytes (both lengths, name, value) to its number in `pairSymbols`.
    private var pairs: [Key: UInt32] = [:]
    /// Name and value of each pair, numbered as they came.
    private var pairSymbols: [(name: UInt32, value: UInt32)] = []
    /// The pairs of all series, one series behind the other.
    private var seriesPairs: [UInt32] = []
    private var series: [Series] = []
    private var rows = ByteBuilder()

    /// - Parameter start: of the block. ms
    init(start: Timestamp) { self.start = start }

    var seriesCount: Int { series.count }

    /// Of the series that was added last.
    var lastRow: ArraySlice<UInt8> {
        rows.bytes[(series.count > 1 ? series[series.count - 2].rowEnd : 0)...]
    }

    mutating func add(_ labels: LabelSet, _ placement: SeriesPlacement) {
        addPairs(labels)
        placement.append(to: &rows, start: start)
        addSeries(placement.offset, placement.layout)
    }

    /// Adds a series as it was added to another builder.
    mutating func restore(_ labels: LabelSet, row: [UInt8], offset: Int, layout: UInt32) {
        addPairs(labels)
        rows.append(contentsOf: row)
        addSeries(offset, layout)
    }

    private mutating func addSeries(_ offset: Int, _ layout: UInt32) {
        series.append(
            Series(pairsEnd: seriesPairs.count, rowEnd: rows.count, offset: offset, layout: layout))
    }

    private mutating func addPairs(_ labels: LabelSet) {
        var ranges = labels.ranges
        var start = 0
        while let (name, value) = ranges.next() {
            let key = Key(bytes: Array(labels.packed[start..<value.upperBound]))
            start = value.upperBound
            if let pair = pairs[key] {
                seriesPairs.append(pair)
                continue
            }
            let pair = UInt32(pairSymbols.count)
            pairSymbols.append((symbol(labels.packed[name]), symbol(labels.packed[value])))
            pairs[key] = pair
            seriesPairs.append(pair)
        }
    }

    private mutating func symbol(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let key = Key(bytes: Array(bytes))
        if let symbol = symbols[key] { return symbol }
        let symbol = UInt32(symbols.count)
        symbols[key] = symbol
        return symbol
    }

    // MARK: - Writing

    /// Writes long lists, symbols, pairs, names, layouts, series, and the directory.
    consuming func write(
        _ layouts: (rows: [UInt8], ends: [Int]), scratch: inout ValuePageScratch, to output: inout IndexOutput
    ) throws(StorageError) -> IndexTables {
        guard pairSymbols.count < Int(UInt32.max) else { throw .invalid(reason: "too many labels for one block") }
        var tables = IndexTables()
        let lists = try writeLists(&scratch, to: &output)
        let ranks = try writeSymbols(to: &output, &tables)
        for index in pairSymbols.indices {
            let (name, value) = pairSymbols[index]
            pairSymbols[index] = (ranks[Int(name)], ranks[Int(value)])
        }
        let order = pairSymbols.indices.sorted { pairSymbols[$0] < pairSymbols[$1] }
        try writePairs(order, lists, to: &output, &tables)
        try writeNames(order, to: &output, &tables)
        tables.layouts = try IndexBuilder.writeSection(
            layouts.ends.count, perBlock: BlockFormat.layoutsPerBlock, to: &output
        ) { number, _, content in
            content.append(
                contentsOf: layouts.rows[(number == 0 ? 0 : layouts.ends[number - 1])..<layouts.ends[number]])
        }
        var pairRanks = [UInt32](repeating: 0, count: order.count)
        for (rank, pair) in order.enumerated() { pairRanks[pair] = UInt32(rank) }
        for index in seriesPairs.indices { seriesPairs[index] = pairRanks[Int(seriesPairs[index])] }
        try writeSeries(to: &output, &tables)
        tables.blockCount = output.blockCount
        tables.directory = UInt64(try output.finish())
        return tables
    }

    /// - Parameter append: adds an item's row to the content of the block; its first argument is the item, the second
    ///   one whether it is the first of the block.
    private static func writeSection(
        _ count: Int, perBlock: Int, to output: inout IndexOutput,
        _ append: (Int, Bool, inout ByteBuilder) throws(StorageError) -> Void
    ) throws(StorageError) -> IndexTables.Section {
        let section = IndexTables.Section(block: output.blockCount, items: UInt32(count))
        var content = ByteBuilder()
        for item in 0..<count {
            try append(item, item % perBlock == 0, &content)
            if (item + 1) % perBlock == 0 || item + 1 == count {
                try output.appendBlock(content.bytes)
                content.removeAll()
            }
        }
        return section
    }

    /// Each symbol without the bytes with which the one before it begins, too.
    /// - Returns: for each symbol as numbered here its number in the file.
    private mutating func writeSymbols(
        to output: inout IndexOutput, _ tables: inout IndexTables
    ) throws(StorageError) -> [UInt32] {
        let sorted = symbols.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        symbols = [:]
        pairs = [:]
        var ranks = [UInt32](repeating: 0, count: sorted.count)
        for (rank, (_, symbol)) in sorted.enumerated() { ranks[Int(symbol)] = UInt32(rank) }
        tables.symbols = try IndexBuilder.writeSection(
            sorted.count, perBlock: BlockFormat.symbolsPerBlock, to: &output
        ) { number, isFirst, content in
            let bytes = sorted[number].key.bytes
            let shared = isFirst ? 0 : zip(sorted[number - 1].key.bytes, bytes).prefix { $0 == $1 }.count
            content.appendVarint(shared)
            content.appendVarint(bytes.count - shared)
            content.append(contentsOf: bytes[shared...])
        }
        return ranks
    }

    /// The series of a pair: in its row, or elsewhere in the file.
    private enum List {
        case inline([UInt8])
        case record(offset: Int, length: Int)
    }

    /// The list of each pair; the long ones are in the file then, and no directory leads to them.
    private func writeLists(
        _ scratch: inout ValuePageScratch, to output: inout IndexOutput
    ) throws(StorageError) -> [List] {
        let (starts, numbers) = seriesByPair()
        var lists: [List] = []
        lists.reserveCapacity(pairSymbols.count)
        for pair in pairSymbols.indices {
            var bytes: [UInt8] = []
            numbers.withUnsafeBufferPointer {
                PackedIntegers.encode(
                    UnsafeBufferPointer(rebasing: $0[starts[pair]..<starts[pair + 1]]), scratch: &scratch, into: &bytes)
            }
            if bytes.count <= BlockFormat.inlinePostingsMax {
                lists.append(.inline(bytes))
            } else {
                lists.append(.record(offset: try output.appendRecord(bytes), length: bytes.count))
            }
        }
        return lists
    }

    /// - Parameter order: the pairs by name and value.
    private func writePairs(
        _ order: [Int], _ lists: [List], to output: inout IndexOutput, _ tables: inout IndexTables
    ) throws(StorageError) {
        tables.pairs = try IndexBuilder.writeSection(
            order.count, perBlock: BlockFormat.pairsPerBlock, to: &output
        ) { number, isFirst, content in
            let (name, value) = pairSymbols[order[number]]
            let previous = isFirst ? (name: 0, value: 0) : pairSymbols[order[number - 1]]
            content.appendVarint(UInt64(name - previous.name))
            content.appendZigzag(Int64(value) - Int64(previous.value))
            switch lists[order[number]] {
            case .inline(let bytes):
                content.appendVarint(bytes.count << 1)
                content.append(contentsOf: bytes)
            case .record(let offset, let length):
                content.appendVarint(length << 1 | 1)
                content.appendVarint(offset)
            }
        }
    }

    private func writeNames(
        _ order: [Int], to output: inout IndexOutput, _ tables: inout IndexTables
    ) throws(StorageError) {
        var names: [(symbol: UInt32, pair: Int)] = []
        for (row, pair) in order.enumerated() where names.last?.symbol != pairSymbols[pair].name {
            names.append((pairSymbols[pair].name, row))
        }
        tables.names = try IndexBuilder.writeSection(
            names.count, perBlock: BlockFormat.namesPerBlock, to: &output
        ) { number, isFirst, content in
            let previous = isFirst ? (symbol: 0, pair: 0) : names[number - 1]
            content.appendVarint(UInt64(names[number].symbol - previous.symbol))
            content.appendVarint(names[number].pair - previous.pair)
        }
    }

    /// A series has the labels of the one before, up to where they differ.
    private func writeSeries(to output: inout IndexOutput, _ tables: inout IndexTables) throws(StorageError) {
        var (pairStart, rowStart) = (0, 0)
        var previous: ArraySlice<UInt32> = []
        var (offset, layout) = (0, UInt32(0))
        tables.series = try IndexBuilder.writeSection(
            series.count, perBlock: BlockFormat.seriesPerBlock, to: &output
        ) { number, isFirst, content in
            let one = series[number]
            let pairs = seriesPairs[pairStart..<one.pairsEnd]
            if isFirst { (previous, offset, layout) = ([], 0, 0) }
            let shared = zip(previous, pairs).prefix { $0 == $1 }.count
            content.appendVarint(shared)
            content.appendVarint(pairs.count - shared)
            var last = shared == 0 ? 0 : pairs[pairStart + shared - 1]
            for pair in pairs.dropFirst(shared) {
                // Names ascend, and with them the pairs.
                content.appendVarint(UInt64(pair - last))
                last = pair
            }
            content.appendVarint(one.rowEnd - rowStart)
            content.appendVarint(one.offset - offset)
            content.appendZigzag(Int64(one.layout) - Int64(layout))
            content.append(contentsOf: rows.bytes[rowStart..<one.rowEnd])
            (previous, offset, layout) = (pairs, one.offset, one.layout)
            (pairStart, rowStart) = (one.pairsEnd, one.rowEnd)
        }
    }

    /// A counting sort: the series of pair p are `series[starts[p] ..< starts[p + 1]]`, ascending.
    private func seriesByPair() -> (starts: [Int], series: [UInt32]) {
        var starts = [Int](repeating: 0, count: pairSymbols.count + 1)
        for pair in seriesPairs { starts[Int(pair) + 1] += 1 }
        for index in starts.indices.dropFirst() { starts[index] += starts[index - 1] }
        var places = starts
        var numbers = [UInt32](repeating: 0, count: seriesPairs.count)
        var pairStart = 0
        for (number, one) in series.enumerated() {
            for pair in seriesPairs[pairStart..<one.pairsEnd] {
                numbers[places[Int(pair)]] = UInt32(number)
                places[Int(pair)] += 1
            }
            pairStart = one.pairsEnd
        }
        return (starts, numbers)
    }
}
