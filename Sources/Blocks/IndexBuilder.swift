import ByteCoding
import SeriesModel
import StorageAPI
import StorageFiles

/// Gathers the index of a block while its series are written, and writes it at the end: symbols can only be numbered in
/// byte order once all are known. Held per series: four bytes a label and the chunk list as it will stand in the file.
struct IndexBuilder {
    /// Bytes that are hashed and compared as bytes.
    private struct Key: Hashable {
        var bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private var symbols: [Key: UInt32] = [:]
    /// A label's packed bytes (both lengths, name, value) to its number in `pairSymbols`.
    private var pairs: [Key: UInt32] = [:]
    /// Name and value of each pair, numbered as they came.
    private var pairSymbols: [(name: UInt32, value: UInt32)] = []
    /// The pairs of all series, one series behind the other.
    private var seriesPairs: [UInt32] = []
    /// Where each series' pairs and chunk lists end.
    private var seriesEnds: [(pairs: Int, chunks: Int)] = []
    private var chunkLists = ByteBuilder()

    var seriesCount: Int { seriesEnds.count }

    mutating func add(_ labels: LabelSet, chunks: [BlockChunkReference]) {
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
        encode(chunks)
        seriesEnds.append((seriesPairs.count, chunkLists.count))
    }

    private mutating func symbol(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let key = Key(bytes: Array(bytes))
        if let symbol = symbols[key] { return symbol }
        let symbol = UInt32(symbols.count)
        symbols[key] = symbol
        return symbol
    }

    /// Times relative to the end of the chunk before, offsets to its end: mostly one or two bytes each.
    private mutating func encode(_ chunks: [BlockChunkReference]) {
        chunkLists.appendVarint(chunks.count)
        var previousTime: Timestamp = 0
        var previousEnd = 0
        for chunk in chunks {
            chunkLists.appendZigzag(chunk.range.min &- previousTime)
            chunkLists.appendVarint(UInt64(bitPattern: chunk.range.max &- chunk.range.min))
            chunkLists.appendVarint(chunk.sampleCount)
            chunkLists.appendZigzag(Int64(chunk.offset - previousEnd))
            chunkLists.appendVarint(chunk.length)
            previousTime = chunk.range.max
            previousEnd = chunk.offset + chunk.length
        }
    }

    // MARK: - Writing

    /// Writes header, symbols, series, postings, names.
    consuming func write(to output: inout PageWriter) throws(StorageError) -> IndexTables {
        var tables = IndexTables()
        var header = ByteBuilder()
        header.append(contentsOf: BlockFormat.indexMagic)
        header.appendLittleEndian(BlockFormat.version)
        header.appendLittleEndian(UInt32(0))
        try output.write(header.bytes)
        let symbolRanks = try writeSymbols(to: &output, &tables)
        for index in pairSymbols.indices {
            let (name, value) = pairSymbols[index]
            pairSymbols[index] = (symbolRanks[Int(name)], symbolRanks[Int(value)])
        }
        try writeSeries(to: &output, &tables)
        try writePostings(to: &output, &tables)
        tables.end = output.position
        return tables
    }

    /// - Returns: for each symbol as numbered here its number in the file.
    private mutating func writeSymbols(
        to output: inout PageWriter, _ tables: inout IndexTables
    ) throws(StorageError) -> [UInt32] {
        let sorted = symbols.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        symbols = [:]
        pairs = [:]
        tables.symbols = output.position
        tables.symbolCount = UInt32(sorted.count)
        var ranks = [UInt32](repeating: 0, count: sorted.count)
        var rows = ByteBuilder(capacity: sorted.count * BlockFormat.symbolRowBytes)
        for (rank, (key, symbol)) in sorted.enumerated() {
            ranks[Int(symbol)] = UInt32(rank)
            rows.appendLittleEndian(try offset32(output.position - tables.symbols))
            try output.write(key.bytes)
        }
        rows.appendLittleEndian(try offset32(output.position - tables.symbols))
        tables.symbolRows = output.position
        try output.write(rows.bytes)
        return ranks
    }

    private func offset32(_ offset: UInt64) throws(StorageError) -> UInt32 {
        guard let offset = UInt32(exactly: offset) else {
            throw .invalid(reason: "the label texts of one block exceed 4 GiB")
        }
        return offset
    }

    private mutating func writeSeries(
        to output: inout PageWriter, _ tables: inout IndexTables
    ) throws(StorageError) {
        var rows = ByteBuilder(capacity: (seriesCount + 1) * BlockFormat.seriesRowBytes)
        var entry = ByteBuilder()
        var (pairStart, chunkStart) = (0, 0)
        for (pairEnd, chunkEnd) in seriesEnds {
            rows.appendLittleEndian(output.position)
            entry.removeAll()
            entry.appendVarint(pairEnd - pairStart)
            for pair in seriesPairs[pairStart..<pairEnd] {
                entry.appendVarint(UInt64(pairSymbols[Int(pair)].name))
                entry.appendVarint(UInt64(pairSymbols[Int(pair)].value))
            }
            entry.append(contentsOf: chunkLists.bytes[chunkStart..<chunkEnd])
            try output.write(entry.bytes)
            (pairStart, chunkStart) = (pairEnd, chunkEnd)
        }
        rows.appendLittleEndian(output.position)
        tables.seriesRows = output.position
        try output.write(rows.bytes)
        chunkLists.removeAll()
    }

    private mutating func writePostings(
        to output: inout PageWriter, _ tables: inout IndexTables
    ) throws(StorageError) {
        let (starts, series) = seriesByPair()
        let order = pairSymbols.indices.sorted { pairSymbols[$0] < pairSymbols[$1] }
        var rows = ByteBuilder(capacity: order.count * BlockFormat.pairRowBytes)
        var names = ByteBuilder()
        var previousName: UInt32?
        var list = ByteBuilder()
        for (row, pair) in order.enumerated() {
            let (name, value) = pairSymbols[pair]
            if name != previousName {
                names.appendLittleEndian(name)
                names.appendLittleEndian(UInt32(row))
                tables.nameCount += 1
                previousName = name
            }
            list.removeAll()
            var previous: UInt32 = 0
            for number in series[starts[pair]..<starts[pair + 1]] {
                list.appendVarint(UInt64(number - previous))
                previous = number
            }
            rows.appendLittleEndian(name)
            rows.appendLittleEndian(value)
            rows.appendLittleEndian(output.position)
            rows.appendLittleEndian(UInt32(starts[pair + 1] - starts[pair]))
            rows.appendLittleEndian(UInt32(clamping: list.count))
            try output.write(list.bytes)
        }
        names.appendLittleEndian(UInt32.max)
        names.appendLittleEndian(UInt32(order.count))
        tables.pairCount = UInt32(order.count)
        tables.pairRows = output.position
        try output.write(rows.bytes)
        tables.nameRows = output.position
        try output.write(names.bytes)
    }

    /// A counting sort: the series of pair p are `series[starts[p] ..< starts[p + 1]]`, ascending.
    private func seriesByPair() -> (starts: [Int], series: [UInt32]) {
        var starts = [Int](repeating: 0, count: pairSymbols.count + 1)
        for pair in seriesPairs { starts[Int(pair) + 1] += 1 }
        for index in starts.indices.dropFirst() { starts[index] += starts[index - 1] }
        var places = starts
        var series = [UInt32](repeating: 0, count: seriesPairs.count)
        var pairStart = 0
        for (number, ends) in seriesEnds.enumerated() {
            for pair in seriesPairs[pairStart..<ends.pairs] {
                series[places[Int(pair)]] = UInt32(number)
                places[Int(pair)] += 1
            }
            pairStart = ends.pairs
        }
        return (starts, series)
    }
}
