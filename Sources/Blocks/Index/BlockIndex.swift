import ByteCoding
import ColdPages
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization

/// Look-ups in the index of a block, by binary search over its blocks. Any thread; blocks that were decoded last are
/// kept, nothing is read that nobody asked for.
final class BlockIndex: Sendable {
    let file: IndexFile
    private let start: Timestamp
    private let symbolBlocks = DecodedCache<SymbolBlock>(count: 128)
    private let pairBlocks = DecodedCache<PairBlock>(count: 64)
    private let pairTexts = DecodedCache<PairTexts>(count: 256)
    private let layoutBlocks = DecodedCache<LayoutBlock>(count: 64)
    private let seriesBlocks = DecodedCache<SeriesBlock>(count: 256)
    private let nameTable = Mutex<NameTable?>(nil)

    init(_ file: MappedFile, footer: BlockFooter) throws(StorageError) {
        self.file = try IndexFile(file, footer: footer)
        start = footer.range.min
    }

    private var tables: IndexTables { file.tables }

    // MARK: - Symbols

    private func symbolBlock(_ number: Int) throws(StorageError) -> SymbolBlock {
        try symbolBlocks.value(number) { () throws(StorageError) in
            try file.block(tables.symbols, number, perBlock: BlockFormat.symbolsPerBlock) {
                (cursor, count) throws(ByteError) in
                try SymbolBlock(&cursor, count)
            }
        }
    }

    private func withSymbol<R>(_ number: UInt32, _ body: (ArraySlice<UInt8>) -> R) throws(StorageError) -> R {
        guard number < tables.symbols.items else { throw file.damaged("symbol \(number) of \(tables.symbols.items)") }
        let (block, place) = Int(number).quotientAndRemainder(dividingBy: BlockFormat.symbolsPerBlock)
        return body(try symbolBlock(block)[place])
    }

    private func text(_ number: UInt32) throws(StorageError) -> String {
        try withSymbol(number) { String(decoding: $0, as: UTF8.self) }
    }

    /// The number of a text, nil where no label of the block has it.
    private func number(of text: String) throws(StorageError) -> UInt32? {
        let wanted = Array(text.utf8)
        let blockCount = (Int(tables.symbols.items) + BlockFormat.symbolsPerBlock - 1) / BlockFormat.symbolsPerBlock
        // The last block that does not begin behind the text.
        var (low, high) = (0, blockCount)
        while low < high {
            let middle = (low + high) / 2
            if try symbolBlock(middle).compare(0, wanted) <= 0 { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let block = try symbolBlock(low - 1)
        let first = (low - 1) * BlockFormat.symbolsPerBlock
        (low, high) = (0, block.count)
        while low < high {
            let middle = (low + high) / 2
            let order = block.compare(middle, wanted)
            if order == 0 { return UInt32(first + middle) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    // MARK: - Names, values, lists

    private func names() throws(StorageError) -> NameTable {
        if let known = nameTable.withLock({ $0 }) { return known }
        var symbols: [UInt32] = []
        var firstPairs: [UInt32] = []
        let blockCount = (Int(tables.names.items) + BlockFormat.namesPerBlock - 1) / BlockFormat.namesPerBlock
        for block in 0..<blockCount {
            try file.block(tables.names, block, perBlock: BlockFormat.namesPerBlock) {
                (cursor, count) throws(ByteError) in
                var (symbol, pair) = (0, 0)
                for _ in 0..<count {
                    symbol += try cursor.varint(atMost: Int(tables.symbols.items) - symbol, "name")
                    pair += try cursor.varint(atMost: Int(tables.pairs.items) - pair, "pair of a name")
                    guard symbols.last.map({ $0 < symbol }) ?? true, firstPairs.last.map({ $0 < pair }) ?? (pair == 0)
                    else { throw .outOfBounds(offset: cursor.position, what: "name") }
                    symbols.append(UInt32(symbol))
                    firstPairs.append(UInt32(pair))
                }
            }
        }
        let table = NameTable(symbols: symbols, firstPairs: firstPairs, pairCount: tables.pairs.items)
        nameTable.withLock { $0 = table }
        return table
    }

    /// Sorted by bytes.
    func labelNames() throws(StorageError) -> [String] {
        var names: [String] = []
        for symbol in try self.names().symbols { names.append(try text(symbol)) }
        return names
    }

    /// Sorted by bytes.
    func labelValues(of name: String) throws(StorageError) -> [String] {
        guard let symbol = try number(of: name) else { return [] }
        var values: [String] = []
        for pair in try names().pairs(ofName: symbol) { values.append(try text(try self.pair(pair).value)) }
        return values
    }

    private func pairBlock(_ number: Int) throws(StorageError) -> PairBlock {
        try pairBlocks.value(number) { () throws(StorageError) in
            try file.block(tables.pairs, number, perBlock: BlockFormat.pairsPerBlock) {
                (cursor, count) throws(ByteError) in
                try PairBlock(&cursor, count)
            }
        }
    }

    private func pair(_ number: UInt32) throws(StorageError) -> PairBlock.Pair {
        guard number < tables.pairs.items else { throw file.damaged("pair \(number) of \(tables.pairs.items)") }
        let (block, place) = Int(number).quotientAndRemainder(dividingBy: BlockFormat.pairsPerBlock)
        return try pairBlock(block).pairs[place]
    }

    /// The series that have the label, ascending; empty for a label that none has.
    func postings(name: String, value: String) throws(StorageError) -> [UInt32] {
        guard let name = try number(of: name), let value = try number(of: value) else { return [] }
        let rows = try names().pairs(ofName: name)
        var (low, high) = (rows.lowerBound, rows.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            let found = try pair(middle).value
            if found == value { return try postings(middle) }
            if found < value { low = middle + 1 } else { high = middle }
        }
        return []
    }

    private func postings(_ number: UInt32) throws(StorageError) -> [UInt32] {
        let bytes: [UInt8]
        switch try pair(number).list {
        case .inline(let range):
            bytes = Array(try pairBlock(Int(number) / BlockFormat.pairsPerBlock).bytes(range))
        case .record(let offset, let length):
            bytes = try file.checked(offset, length + BlockFormat.checksumBytes)
        }
        var list: [UInt32] = []
        do throws(ColdPageError) {
            list = try BlockIndex.list(bytes, atMost: Int(tables.series.items))
        } catch {
            throw file.damaged("list of pair \(number): \(error)")
        }
        if let last = list.last, last >= tables.series.items {
            throw file.damaged("list of pair \(number): series \(last) of \(tables.series.items)")
        }
        return list
    }

    private static func list(_ bytes: [UInt8], atMost limit: Int) throws(ColdPageError) -> [UInt32] {
        let result = bytes.withUnsafeBytes { buffer -> Result<[UInt32], ColdPageError> in
            var list: [UInt32] = []
            do throws(ColdPageError) {
                try PackedIntegers.decode(buffer, atMost: limit, into: &list)
                return .success(list)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: - Series

    func seriesBlock(_ series: UInt32) throws(StorageError) -> (block: SeriesBlock, place: Int) {
        guard series < tables.series.items else { throw file.damaged("series \(series) of \(tables.series.items)") }
        let (number, place) = Int(series).quotientAndRemainder(dividingBy: BlockFormat.seriesPerBlock)
        let block = try seriesBlocks.value(number) { () throws(StorageError) in
            try file.block(tables.series, number, perBlock: BlockFormat.seriesPerBlock) {
                (cursor, count) throws(ByteError) in
                try SeriesBlock(&cursor, count)
            }
        }
        return (block, place)
    }

    func labels(of series: UInt32) throws(StorageError) -> LabelSet {
        let (block, place) = try seriesBlock(series)
        var packed: [UInt8] = []
        packed.reserveCapacity(256)
        for pair in block.pairs(place) {
            let (number, place) = Int(pair).quotientAndRemainder(dividingBy: BlockFormat.pairsPerBlock)
            guard pair < tables.pairs.items else { throw file.damaged("pair \(pair) of \(tables.pairs.items)") }
            let texts = try pairTexts.value(number) { () throws(StorageError) in try pairTexts(number) }
            packed.append(contentsOf: texts[place])
        }
        return LabelSet(trusted: packed)
    }

    private func pairTexts(_ number: Int) throws(StorageError) -> PairTexts {
        var packed: [UInt8] = []
        var ends: [Int] = []
        for pair in try pairBlock(number).pairs {
            for symbol in [pair.name, pair.value] {
                try withSymbol(symbol) { bytes in
                    LabelSet.appendLength(bytes.count, to: &packed)
                    packed.append(contentsOf: bytes)
                }
            }
            ends.append(packed.count)
        }
        return PairTexts(packed: packed, ends: ends)
    }

    func layoutBlock(_ layout: UInt32) throws(StorageError) -> (block: LayoutBlock, place: Int) {
        guard layout < tables.layouts.items else { throw file.damaged("layout \(layout) of \(tables.layouts.items)") }
        let (number, place) = Int(layout).quotientAndRemainder(dividingBy: BlockFormat.layoutsPerBlock)
        let block = try layoutBlocks.value(number) { () throws(StorageError) in
            try file.block(tables.layouts, number, perBlock: BlockFormat.layoutsPerBlock) {
                (cursor, count) throws(ByteError) in
                try LayoutBlock(&cursor, count, start: start)
            }
        }
        return (block, place)
    }

    // MARK: - Verification

    /// Reads every block, and whether names, pairs and symbols are in order.
    func verify() throws(StorageError) {
        var records: [(offset: Int, length: Int)] = []
        var previous: PairBlock.Pair?
        for number in 0..<tables.pairs.items {
            let pair = try pair(number)
            if let previous, (previous.name, previous.value) >= (pair.name, pair.value) {
                throw file.damaged("pair \(number) is out of order")
            }
            previous = pair
            if case .record(let offset, let length) = pair.list { records.append((offset, length)) }
        }
        var symbol: [UInt8]?
        for number in 0..<tables.symbols.items {
            let bytes = try withSymbol(number) { Array($0) }
            if let symbol, !symbol.lexicographicallyPrecedes(bytes) {
                throw file.damaged("symbol \(number) is out of order")
            }
            symbol = bytes
        }
        for layout in 0..<tables.layouts.items { _ = try layoutBlock(layout) }
        try file.verify(records: records)
    }
}
