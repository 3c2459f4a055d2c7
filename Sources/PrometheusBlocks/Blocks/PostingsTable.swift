import ByteCoding
import StorageAPI

/// The label pairs of an index and where their lists of series lie: of each name the place of every thirty-second pair
/// is kept, the others are found from there.
///
/// In an index of version 1 pairs may stand in any order: there all are kept.
struct PostingsTable: Sendable {
    private static let stride = 32

    private struct Pair: Sendable {
        var value: [UInt8]
        /// Of the list.
        var offset: Int
    }

    private struct Name: Sendable {
        var name: [UInt8]
        /// Of the name's pairs 0, 32, 64…, in the file.
        var places: [Int] = []
        /// Where its last pair ends.
        var end = 0
        /// Version 1 only; sorted by value.
        var pairs: [Pair] = []
    }

    private let file: CheckedFile
    /// Sorted by bytes; the empty name, which stands for all series, is among them.
    private let names: [Name]

    /// Reads the whole section once, and checks it.
    init(_ file: CheckedFile, at offset: Int, version: UInt8) throws(StorageError) {
        self.file = file
        guard offset > 0 else {
            names = []
            return
        }
        let content = try file.section(at: offset, "postings table")
        let base = offset + 4
        names = try file.fields(content, at: base, "postings table") {
            (cursor: inout ByteCursor) throws(ByteError) in
            let count = Int(try cursor.bigEndian(UInt32.self))
            guard count <= cursor.remaining / 4 else { throw .outOfBounds(offset: 0, what: "number of pairs") }
            return version == 1
                ? try PostingsTable.unordered(&cursor, count)
                : try PostingsTable.ordered(&cursor, count, base: base)
        }
    }

    private static func ordered(
        _ cursor: inout ByteCursor, _ count: Int, base: Int
    ) throws(ByteError) -> [Name] {
        var names: [Name] = []
        var rows = 0
        var previous: UnsafeRawBufferPointer?
        for _ in 0..<count {
            let place = cursor.position
            let pair = try field(&cursor)
            if let last = names.last, pair.name.elementsEqual(last.name) {
                guard let before = previous, before.lexicographicallyPrecedes(pair.value) else {
                    throw .outOfBounds(offset: place, what: "order of values")
                }
            } else {
                if let last = names.last {
                    guard last.name.lexicographicallyPrecedes(pair.name) else {
                        throw .outOfBounds(offset: place, what: "order of names")
                    }
                }
                names.append(Name(name: [UInt8](pair.name)))
                rows = 0
            }
            if rows % stride == 0 { names[names.count - 1].places.append(base + place) }
            names[names.count - 1].end = base + cursor.position
            previous = pair.value
            rows += 1
        }
        return names
    }

    private static func unordered(_ cursor: inout ByteCursor, _ count: Int) throws(ByteError) -> [Name] {
        var pairs: [[UInt8]: [Pair]] = [:]
        for _ in 0..<count {
            let pair = try field(&cursor)
            pairs[[UInt8](pair.name), default: []].append(Pair(value: [UInt8](pair.value), offset: pair.offset))
        }
        return pairs.map { name, pairs in
            Name(name: name, pairs: pairs.sorted { $0.value.lexicographicallyPrecedes($1.value) })
        }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private static func field(
        _ cursor: inout ByteCursor
    ) throws(ByteError) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, offset: Int) {
        let place = cursor.position
        guard try cursor.byte() == 2 else { throw .outOfBounds(offset: place, what: "number of texts") }
        return (
            try cursor.sizedBytes(), try cursor.sizedBytes(),
            try cursor.varint(atMost: Int.max, "place of a list")
        )
    }

    // MARK: - Looking up

    /// Sorted by bytes, without the one that stands for all series.
    var labelNames: [[UInt8]] { names.compactMap { $0.name.isEmpty ? nil : $0.name } }

    /// Sorted by bytes; empty for a name that no series has.
    func values(of name: [UInt8]) throws(StorageError) -> [[UInt8]] {
        guard let name = entry(name) else { return [] }
        guard let first = name.places.first else { return name.pairs.map(\.value) }
        var values: [[UInt8]] = []
        try walk(first, name.end) { value, _ in
            values.append([UInt8](value))
            return true
        }
        return values
    }

    /// Where the list of a pair begins; nil for a pair that no series has.
    func place(name: [UInt8], value: [UInt8]) throws(StorageError) -> Int? {
        guard let name = entry(name) else { return nil }
        if name.places.isEmpty { return name.pairs.first { $0.value == value }?.offset }
        // The last of the kept pairs that is not behind the wanted one.
        var (low, high) = (0, name.places.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            var isBehind = false
            try walk(name.places[middle], rowEnd(name, middle)) { found, _ in
                isBehind = value.lexicographicallyPrecedes(found)
                return false
            }
            if isBehind { high = middle } else { low = middle }
        }
        var place: Int?
        try walk(name.places[low], rowEnd(name, low)) { found, offset in
            if found.elementsEqual(value) { place = offset }
            return place == nil
        }
        return place
    }

    private func rowEnd(_ name: Name, _ row: Int) -> Int {
        row + 1 < name.places.count ? name.places[row + 1] : name.end
    }

    /// Calls the body for each pair between two places, until it returns false.
    private func walk(
        _ start: Int, _ end: Int, _ body: (_ value: UnsafeRawBufferPointer, _ offset: Int) -> Bool
    ) throws(StorageError) {
        guard start <= end else { throw file.damaged(at: start, "postings table") }
        let piece = try file.bytes(at: start, count: end - start)
        try file.fields(piece, at: start, "postings table") { (cursor: inout ByteCursor) throws(ByteError) in
            while !cursor.isAtEnd {
                let pair = try PostingsTable.field(&cursor)
                if !body(pair.value, pair.offset) { return }
            }
        }
    }

    private func entry(_ wanted: [UInt8]) -> Name? {
        var (low, high) = (0, names.count)
        while low < high {
            let middle = (low + high) / 2
            if names[middle].name == wanted { return names[middle] }
            if names[middle].name.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
