import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// Look-ups in the index of a block, by binary search over its tables. Holds the page cache and a cache of symbols, so it
/// changes while it reads: `BlockReader` keeps it behind a lock.
struct IndexReader {
    private var pages: PageReader
    private let tables: IndexTables
    private let seriesCount: Int
    private let path: String
    /// Decoded symbols; emptied when it is full, since a query meets the same few again at once.
    private var symbols: [UInt32: [UInt8]] = [:]
    private static let cachedSymbolsMax = 4096

    init(_ file: MappedFile, footer: BlockFooter) throws(StorageError) {
        pages = PageReader(file)
        tables = footer.tables
        seriesCount = footer.seriesCount
        path = file.path
        let header = try pages.read(0, BlockFormat.fileHeaderBytes)
        guard header.starts(with: BlockFormat.indexMagic), header[8...].starts(with: [1, 0, 0, 0]) else {
            throw damaged("not a block index of version 1")
        }
    }

    func damaged(_ reason: String) -> StorageError { .corruption(file: path, offset: 0, reason: reason) }

    // MARK: - Symbols

    mutating func symbol(_ number: UInt32) throws(StorageError) -> [UInt8] {
        if let bytes = symbols[number] { return bytes }
        guard number < tables.symbolCount else { throw damaged("symbol \(number) of \(tables.symbolCount)") }
        let row = tables.symbolRows &+ UInt64(number) * UInt64(BlockFormat.symbolRowBytes)
        let start = try pages.integer(UInt32.self, at: row)
        let end = try pages.integer(UInt32.self, at: row &+ UInt64(BlockFormat.symbolRowBytes))
        guard start <= end else { throw damaged("symbol \(number) ends before it begins") }
        let bytes = try pages.read(tables.symbols &+ UInt64(start), Int(end - start))
        if symbols.count >= IndexReader.cachedSymbolsMax { symbols.removeAll(keepingCapacity: true) }
        symbols[number] = bytes
        return bytes
    }

    /// The number of a text, nil where no label of the block has it.
    mutating func number(of text: String) throws(StorageError) -> UInt32? {
        let wanted = Array(text.utf8)
        var (low, high) = (UInt32(0), tables.symbolCount)
        while low < high {
            let middle = low + (high - low) / 2
            let bytes = try symbol(middle)
            if bytes == wanted { return middle }
            if bytes.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    // MARK: - Names, values, postings

    private struct NameRow {
        var name: UInt32
        var firstPair: UInt32
    }

    private mutating func nameRow(_ index: UInt32) throws(StorageError) -> NameRow {
        let row = tables.nameRows &+ UInt64(index) * UInt64(BlockFormat.nameRowBytes)
        return NameRow(
            name: try pages.integer(UInt32.self, at: row), firstPair: try pages.integer(UInt32.self, at: row &+ 4))
    }

    mutating func names() throws(StorageError) -> [UInt32] {
        var names: [UInt32] = []
        for index in 0..<tables.nameCount { names.append(try nameRow(index).name) }
        return names
    }

    /// The rows of `pairRows` that belong to a label name.
    mutating func pairs(ofName name: UInt32) throws(StorageError) -> Range<UInt32> {
        var (low, high) = (UInt32(0), tables.nameCount)
        while low < high {
            let middle = low + (high - low) / 2
            let row = try nameRow(middle)
            if row.name == name {
                let end = try nameRow(middle + 1).firstPair
                guard row.firstPair <= end, end <= tables.pairCount else { throw damaged("rows of label name \(name)") }
                return row.firstPair..<end
            }
            if row.name < name { low = middle + 1 } else { high = middle }
        }
        return 0..<0
    }

    mutating func pairValue(_ pair: UInt32) throws(StorageError) -> UInt32 {
        try pages.integer(UInt32.self, at: pairRow(pair) &+ 4)
    }

    private func pairRow(_ pair: UInt32) -> UInt64 {
        tables.pairRows &+ UInt64(pair) * UInt64(BlockFormat.pairRowBytes)
    }

    mutating func pair(ofName name: UInt32, value: UInt32) throws(StorageError) -> UInt32? {
        let rows = try pairs(ofName: name)
        var (low, high) = (rows.lowerBound, rows.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            let found = try pairValue(middle)
            if found == value { return middle }
            if found < value { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The series that have the label, ascending.
    mutating func postings(_ pair: UInt32) throws(StorageError) -> [UInt32] {
        let row = pairRow(pair)
        let position = try pages.integer(UInt64.self, at: row &+ 8)
        let count = Int(try pages.integer(UInt32.self, at: row &+ 16))
        let bytes = try pages.read(position, Int(try pages.integer(UInt32.self, at: row &+ 20)))
        guard count <= seriesCount else { throw damaged("\(count) series of \(seriesCount) in a list") }
        do throws(ByteError) {
            return try ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) in
                var series: [UInt32] = []
                series.reserveCapacity(count)
                var number = 0
                for index in 0..<count {
                    let step = try cursor.varint(atMost: seriesCount - 1 - number, "series number")
                    guard index == 0 || step > 0 else { throw .outOfBounds(offset: cursor.position, what: "list") }
                    number += step
                    series.append(UInt32(number))
                }
                return series
            }
        } catch {
            throw damaged("list of pair \(pair): \(error)")
        }
    }

    // MARK: - Series

    private mutating func entry(_ series: UInt32) throws(StorageError) -> [UInt8] {
        guard Int(series) < seriesCount else { throw damaged("series \(series) of \(seriesCount)") }
        let row = tables.seriesRows &+ UInt64(series) * UInt64(BlockFormat.seriesRowBytes)
        let start = try pages.integer(UInt64.self, at: row)
        let end = try pages.integer(UInt64.self, at: row &+ UInt64(BlockFormat.seriesRowBytes))
        guard start <= end, let count = Int(exactly: end - start) else { throw damaged("entry of series \(series)") }
        return try pages.read(start, count)
    }

    mutating func labels(of series: UInt32) throws(StorageError) -> LabelSet {
        let numbers = try fields(of: series) { (cursor: inout ByteCursor) throws(ByteError) in
            try IndexReader.labelSymbols(&cursor)
        }
        var packed: [UInt8] = []
        packed.reserveCapacity(numbers.count * 16)
        for number in numbers {
            let bytes = try symbol(number)
            LabelSet.appendLength(bytes.count, to: &packed)
            packed.append(contentsOf: bytes)
        }
        return LabelSet(trusted: packed)
    }

    mutating func chunks(of series: UInt32) throws(StorageError) -> [BlockChunkReference] {
        try fields(of: series) { (cursor: inout ByteCursor) throws(ByteError) in
            for _ in 0..<(try cursor.varint(atMost: cursor.remaining / 2, "number of labels") * 2) {
                _ = try cursor.varint()
            }
            return try IndexReader.chunkReferences(&cursor)
        }
    }

    private mutating func fields<R>(
        of series: UInt32, _ body: (inout ByteCursor) throws(ByteError) -> R
    ) throws(StorageError) -> R {
        let entry = try entry(series)
        do throws(ByteError) {
            return try ByteCursor.read(entry, body)
        } catch {
            throw damaged("entry of series \(series): \(error)")
        }
    }

    /// Name and value in turn.
    private static func labelSymbols(_ cursor: inout ByteCursor) throws(ByteError) -> [UInt32] {
        let count = try cursor.varint(atMost: cursor.remaining / 2, "number of labels")
        var numbers: [UInt32] = []
        numbers.reserveCapacity(count * 2)
        for _ in 0..<(count * 2) { numbers.append(UInt32(try cursor.varint(atMost: Int(UInt32.max), "symbol"))) }
        return numbers
    }

    private static func chunkReferences(_ cursor: inout ByteCursor) throws(ByteError) -> [BlockChunkReference] {
        let count = try cursor.varint(atMost: cursor.remaining / 5, "number of chunks")
        var chunks: [BlockChunkReference] = []
        chunks.reserveCapacity(count)
        var time: Timestamp = 0
        var end = 0
        for _ in 0..<count {
            let place = cursor.position
            let minTime = time &+ (try cursor.zigzag())
            let maxTime = minTime &+ Int64(bitPattern: try cursor.varint())
            let samples = try cursor.varint(atMost: Int(UInt16.max), "number of samples")
            let offset = Int64(end).addingReportingOverflow(try cursor.zigzag())
            let length = try cursor.varint(atMost: BlockFormat.chunkBytesMax, "chunk length")
            guard !offset.overflow, offset.partialValue >= 0, offset.partialValue < 1 << 62, maxTime >= minTime else {
                throw .outOfBounds(offset: place, what: "chunk")
            }
            chunks.append(
                BlockChunkReference(
                    range: TimeRange(min: minTime, max: maxTime), sampleCount: samples,
                    offset: Int(offset.partialValue), length: length))
            time = maxTime
            end = Int(offset.partialValue) + length
        }
        return chunks
    }
}
