import ByteCoding
import FileIO
import SeriesModel
import StorageAPI

/// Reads the index of a block. Each part is read and checked when it is first asked for.
struct PrometheusIndex: Sendable {
    private let file: CheckedFile
    private let contents: IndexContents
    private let version: UInt8
    private var symbolTable: SymbolTable?
    private var postingsTable: PostingsTable?
    /// The references of all series, ascending, which is in the order of their labels.
    private var allReferences: [UInt32]?

    init(_ file: MappedFile) throws(StorageError) {
        self.file = CheckedFile(file)
        (contents, version) = try IndexContents.read(self.file)
    }

    private mutating func postings() throws(StorageError) -> PostingsTable {
        if let postingsTable { return postingsTable }
        let table = try PostingsTable(file, at: contents.postingsTable, version: version)
        postingsTable = table
        return table
    }

    private mutating func symbol(_ number: Int) throws(StorageError) -> [UInt8] {
        if symbolTable == nil { symbolTable = try SymbolTable(file, at: contents.symbols, version: version) }
        return try symbolTable?.symbol(number) ?? []
    }

    // MARK: - Series by number

    /// Series are numbered from 0 by their labels; the file names them by the place of their entries.
    mutating func references() throws(StorageError) -> [UInt32] {
        if let allReferences { return allReferences }
        let references = try list(name: [], value: [])
        allReferences = references
        return references
    }

    /// - Returns: nil for a reference that no series has.
    mutating func number(ofReference reference: UInt32) throws(StorageError) -> UInt32? {
        let all = try references()
        let index = all.firstIndex(notBelow: reference)
        return index < all.count && all[index] == reference ? UInt32(truncatingIfNeeded: index) : nil
    }

    // MARK: - Labels

    mutating func labelNames() throws(StorageError) -> [[UInt8]] { try postings().labelNames }

    mutating func labelValues(of name: [UInt8]) throws(StorageError) -> [[UInt8]] {
        name.isEmpty ? [] : try postings().values(of: name)
    }

    /// The numbers of the series with the label, ascending.
    mutating func postings(name: [UInt8], value: [UInt8]) throws(StorageError) -> [UInt32] {
        if name.isEmpty { return [] }
        let found = try list(name: name, value: value)
        let all = try references()
        var numbers: [UInt32] = []
        numbers.reserveCapacity(found.count)
        var index = 0
        for reference in found {
            // Both ascend. A list of few has far steps.
            if found.count < all.count / 16 {
                index = all.firstIndex(notBelow: reference, from: index)
            } else {
                while index < all.count, all[index] < reference { index += 1 }
            }
            guard index < all.count, all[index] == reference else {
                throw file.damaged(at: contents.postingsTable, "series \(reference) is not among all series")
            }
            numbers.append(UInt32(truncatingIfNeeded: index))
        }
        return numbers
    }

    /// The references in the list of a pair; none where there is no such pair.
    private mutating func list(name: [UInt8], value: [UInt8]) throws(StorageError) -> [UInt32] {
        guard let place = try postings().place(name: name, value: value) else { return [] }
        let content = try file.section(at: place, "postings")
        return try file.fields(content, at: place + 4, "postings") { (cursor: inout ByteCursor) throws(ByteError) in
            let count = Int(try cursor.bigEndian(UInt32.self))
            guard count == cursor.remaining / 4, cursor.remaining % 4 == 0 else {
                throw .outOfBounds(offset: 0, what: "number of series")
            }
            var references: [UInt32] = []
            references.reserveCapacity(count)
            for _ in 0..<count {
                let reference = try cursor.bigEndian(UInt32.self)
                if let last = references.last, last >= reference {
                    throw .outOfBounds(offset: cursor.position - 4, what: "order of series")
                }
                references.append(reference)
            }
            return references
        }
    }

    // MARK: - Entries

    mutating func labels(of series: UInt32) throws(StorageError) -> LabelSet {
        let (content, place) = try entry(series)
        let numbers = try file.fields(content, at: place, "series \(series)") {
            (cursor: inout ByteCursor) throws(ByteError) in
            try PrometheusIndex.labelSymbols(&cursor)
        }
        var packed: [UInt8] = []
        packed.reserveCapacity(numbers.count * 16)
        for number in numbers {
            let bytes = try symbol(number)
            LabelSet.appendLength(bytes.count, to: &packed)
            packed.append(contentsOf: bytes)
        }
        guard let labels = LabelSet(validating: packed) else {
            throw file.damaged(at: place, "labels of series \(series) are unordered, empty or no UTF-8")
        }
        return labels
    }

    /// In order of time.
    mutating func chunks(of series: UInt32) throws(StorageError) -> [PrometheusChunkReference] {
        let (content, place) = try entry(series)
        return try file.fields(content, at: place, "series \(series)") {
            (cursor: inout ByteCursor) throws(ByteError) in
            _ = try PrometheusIndex.labelSymbols(&cursor)
            return try PrometheusIndex.chunkReferences(&cursor)
        }
    }

    /// The content of a series' entry, and where it begins.
    private mutating func entry(_ series: UInt32) throws(StorageError) -> (content: [UInt8], place: Int) {
        let all = try references()
        guard Int(series) < all.count else {
            throw .invalid(reason: "\(file.path): series \(series) of \(all.count)")
        }
        let unit = version == 1 ? 1 : PrometheusFormat.seriesAlignment
        let place = Int(all[Int(series)]) * unit
        let head = try file.bytes(at: place, atMost: 512)
        let (length, start) = try file.fields(head, at: place, "series \(series)") {
            (cursor: inout ByteCursor) throws(ByteError) in
            (try cursor.varint(atMost: PrometheusFormat.seriesBytesMax, "entry length"), cursor.position)
        }
        let whole = start + length + PrometheusFormat.checksumBytes
        let record = whole <= head.count ? head : try file.bytes(at: place, count: whole)
        let content = record[start..<start + length]
        let checksum = record[(start + length)..<whole].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard CRC32C.checksum(content) == checksum else { throw file.damaged(at: place, "series \(series): checksum") }
        return (Array(content), place + start)
    }

    /// Name and value in turn.
    private static func labelSymbols(_ cursor: inout ByteCursor) throws(ByteError) -> [Int] {
        let count = try cursor.varint(atMost: cursor.remaining / 2, "number of labels")
        var numbers: [Int] = []
        numbers.reserveCapacity(count * 2)
        for _ in 0..<(count * 2) { numbers.append(try cursor.varint(atMost: Int(UInt32.max), "symbol")) }
        return numbers
    }

    private static func chunkReferences(
        _ cursor: inout ByteCursor
    ) throws(ByteError) -> [PrometheusChunkReference] {
        let count = try cursor.varint(atMost: cursor.remaining / 3, "number of chunks")
        var chunks: [PrometheusChunkReference] = []
        chunks.reserveCapacity(count)
        var time: Timestamp = 0
        var reference: UInt64 = 0
        for index in 0..<count {
            let place = cursor.position
            let step = index == 0 ? try cursor.zigzag() : Int64(bitPattern: try cursor.varint())
            let minTime = time &+ step
            let maxTime = minTime &+ Int64(bitPattern: try cursor.varint())
            reference = index == 0 ? try cursor.varint() : reference &+ UInt64(bitPattern: try cursor.zigzag())
            guard maxTime >= minTime, index == 0 || minTime > time else {
                throw .outOfBounds(offset: place, what: "range of a chunk")
            }
            chunks.append(
                PrometheusChunkReference(
                    range: TimeRange(min: minTime, max: maxTime), segment: UInt32(truncatingIfNeeded: reference >> 32),
                    offset: UInt32(truncatingIfNeeded: reference)))
            time = maxTime
        }
        return chunks
    }
}

extension [UInt32] {
    /// The first index from `start` on whose element is at least `value`; `count` for none. The array ascends.
    fileprivate func firstIndex(notBelow value: UInt32, from start: Int = 0) -> Int {
        var (low, high) = (start, count)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
