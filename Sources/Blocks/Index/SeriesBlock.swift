import ByteCoding
import ChunkEncoding
import SeriesModel

/// 128 series: their labels as pair numbers, and where their samples lie.
final class SeriesBlock: Sendable {
    struct Row: Sendable {
        /// In the block's pairs and bytes: where the parts of the series end.
        var pairsEnd: Int
        var rest: Range<Int>
        /// Of the first page in the data file.
        var offset: Int
        var layout: UInt32
        var flags: SeriesPlacement.Flags
    }

    private let rows: [Row]
    private let pairs: [UInt32]
    private let bytes: [UInt8]

    init(_ cursor: inout ByteCursor, _ count: Int) throws(ByteError) {
        var rows: [Row] = []
        rows.reserveCapacity(count)
        var pairs: [UInt32] = []
        var bytes: [UInt8] = []
        bytes.reserveCapacity(cursor.remaining)
        var (offset, layout) = (0, Int64(0))
        var previous = 0..<0
        for _ in 0..<count {
            let start = pairs.count
            let shared = try cursor.varint(atMost: previous.count, "shared labels")
            let own = try cursor.varint(atMost: cursor.remaining, "labels")
            pairs.append(contentsOf: pairs[previous.prefix(shared)])
            var last = shared == 0 ? 0 : Int(pairs[pairs.count - 1])
            for _ in 0..<own {
                last += try cursor.varint(atMost: Int(UInt32.max) - last, "label")
                pairs.append(UInt32(last))
            }
            previous = start..<pairs.count
            let length = try cursor.varint(atMost: cursor.remaining, "length of a series")
            let place = cursor.position
            offset += try cursor.varint(atMost: 1 << 62 - offset, "offset of a series")
            layout &+= try cursor.zigzag()
            let rest = try cursor.bytes(length)
            guard let layout = UInt32(exactly: layout), let first = rest.first,
                SeriesPlacement.Flags.all.isSuperset(of: SeriesPlacement.Flags(rawValue: first))
            else { throw .outOfBounds(offset: place, what: "series") }
            let restStart = bytes.count
            bytes.append(contentsOf: rest.dropFirst())
            rows.append(
                Row(
                    pairsEnd: pairs.count, rest: restStart..<bytes.count, offset: offset, layout: layout,
                    flags: SeriesPlacement.Flags(rawValue: first)))
        }
        self.rows = rows
        self.pairs = pairs
        self.bytes = bytes
    }

    subscript(index: Int) -> Row { rows[index] }

    func pairs(_ index: Int) -> ArraySlice<UInt32> {
        pairs[(index == 0 ? 0 : rows[index - 1].pairsEnd)..<rows[index].pairsEnd]
    }

    /// Runs `body` with a cursor over what stands behind the flags of a series.
    @inline(__always)
    func read<R>(_ row: Row, _ body: (inout ByteCursor) throws(ByteError) -> R) throws(ByteError) -> R {
        let result = bytes.withUnsafeBytes { buffer -> Result<R, ByteError> in
            var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: buffer[row.rest]))
            do throws(ByteError) {
                return .success(try body(&cursor))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
