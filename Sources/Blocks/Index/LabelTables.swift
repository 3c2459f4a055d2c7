import ByteCoding
import ColdPages
import SeriesModel
import StorageAPI

/// 64 symbols.
final class SymbolBlock: Sendable {
    private let bytes: [UInt8]
    private let ends: [Int]

    init(_ cursor: inout ByteCursor, _ count: Int) throws(ByteError) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        var start = 0
        for _ in 0..<count {
            let shared = try cursor.varint(atMost: bytes.count - start, "shared bytes")
            let rest = try cursor.sizedBytes()
            let end = bytes.count
            bytes.append(contentsOf: bytes[start..<start + shared])
            bytes.append(contentsOf: rest)
            start = end
            ends.append(bytes.count)
        }
        self.bytes = bytes
        self.ends = ends
    }

    var count: Int { ends.count }

    func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

    /// Whether the symbol comes before, is, or comes after a text: negative, 0, positive.
    func compare(_ index: Int, _ text: [UInt8]) -> Int {
        let symbol = self[index]
        for (a, b) in zip(symbol, text) where a != b { return a < b ? -1 : 1 }
        return symbol.count - text.count
    }
}

/// 64 label pairs: symbol numbers, and where the lists of their series are.
final class PairBlock: Sendable {
    enum List: Sendable {
        case inline(Range<Int>)
        case record(offset: Int, length: Int)
    }

    struct Pair: Sendable {
        var name: UInt32
        var value: UInt32
        var list: List
    }

    let pairs: [Pair]
    private let inlineBytes: [UInt8]

    init(_ cursor: inout ByteCursor, _ count: Int) throws(ByteError) {
        var pairs: [Pair] = []
        var inlineBytes: [UInt8] = []
        var (name, value) = (0, Int64(0))
        for _ in 0..<count {
            let place = cursor.position
            name += try cursor.varint(atMost: Int(UInt32.max) - name, "name of a label")
            value &+= try cursor.zigzag()
            guard let value = UInt32(exactly: value) else {
                throw .outOfBounds(offset: place, what: "value of a label")
            }
            let tag = try cursor.varint(atMost: Int(UInt32.max), "length of a list")
            let list: List
            if tag & 1 == 1 {
                list = .record(offset: try cursor.varint(atMost: 1 << 62, "offset of a list"), length: tag >> 1)
            } else {
                let start = inlineBytes.count
                inlineBytes.append(contentsOf: try cursor.bytes(tag >> 1))
                list = .inline(start..<inlineBytes.count)
            }
            pairs.append(Pair(name: UInt32(name), value: value, list: list))
        }
        self.pairs = pairs
        self.inlineBytes = inlineBytes
    }

    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> { inlineBytes[range] }
}

/// The texts of 64 label pairs as label sets hold them.
final class PairTexts: Sendable {
    private let packed: [UInt8]
    private let ends: [Int]

    init(packed: [UInt8], ends: [Int]) {
        self.packed = packed
        self.ends = ends
    }

    subscript(index: Int) -> ArraySlice<UInt8> { packed[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }
}

/// All label names: symbol numbers, and the first pair of each.
final class NameTable: Sendable {
    let symbols: [UInt32]
    private let firstPairs: [UInt32]
    private let pairCount: UInt32

    init(symbols: [UInt32], firstPairs: [UInt32], pairCount: UInt32) {
        self.symbols = symbols
        self.firstPairs = firstPairs
        self.pairCount = pairCount
    }

    /// The pairs of a name, none for what is no name.
    func pairs(ofName symbol: UInt32) -> Range<UInt32> {
        var (low, high) = (0, symbols.count)
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle] < symbol { low = middle + 1 } else { high = middle }
        }
        guard low < symbols.count, symbols[low] == symbol else { return 0..<0 }
        return firstPairs[low]..<(low + 1 < firstPairs.count ? firstPairs[low + 1] : pairCount)
    }
}
