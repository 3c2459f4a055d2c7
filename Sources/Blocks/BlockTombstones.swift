import ByteCoding
package import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles

/// What was deleted of the series of a block: in a file `tombstones` beside the block's own, so that a lost catalog
/// revives nothing. Format: `docs/formats/tombstones.md`.
package struct BlockTombstones: Sendable, Hashable {
    package static let fileName = "tombstones"

    static let magic: [UInt8] = Array("HEARTHTS".utf8)
    static let version: UInt32 = 1
    /// The most the file may take. A reader allocates no more.
    private static let bytesMax = 256 << 20

    private var bySeries: [UInt32: TimeRangeSet] = [:]

    package init() {}

    package var isEmpty: Bool { bySeries.isEmpty }

    /// The series that have something deleted, ascending.
    package var series: [UInt32] { bySeries.keys.sorted() }

    /// What is hidden of a series; nil for nothing.
    package func ranges(of series: UInt32) -> TimeRangeSet? { bySeries[series] }

    /// Adds a closed range of ms; one without length changes nothing.
    package mutating func add(_ series: UInt32, _ range: TimeRange) {
        guard range.min <= range.max else { return }
        bySeries[series, default: TimeRangeSet()].insert(range)
    }

    package mutating func formUnion(_ other: BlockTombstones) {
        for (series, ranges) in other.bySeries { bySeries[series, default: TimeRangeSet()].formUnion(ranges) }
    }

    // MARK: - File

    /// Those of a block; none where there is no file.
    /// - Parameters:
    ///   - path: the block's directory.
    ///   - seriesCount: of the block: numbers must be below.
    package static func read(
        fileSystem: any FileSystem, path: String, seriesCount: Int
    ) throws(StorageError) -> BlockTombstones {
        let file = FilePath.join(path, fileName)
        guard fileSystem.exists(file) else { return BlockTombstones() }
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(file, limit: bytesMax)
        }
        do throws(ByteError) {
            return try BlockTombstones(bytes, seriesCount: seriesCount)
        } catch {
            throw .corruption(error, file: file, base: 0)
        }
    }

    /// Puts them in place of those that the block had, as a whole; durable when the call returns.
    package func write(fileSystem: any FileSystem, path: String) throws(StorageError) {
        let bytes = encoded
        guard bytes.count <= BlockTombstones.bytesMax else {
            throw .invalid(reason: "\(path): too many deletions, clean the tombstones first")
        }
        try StorageError.wrapping { () throws(FileError) in
            try fileSystem.replace(FilePath.join(path, BlockTombstones.fileName), with: bytes)
        }
    }

    var encoded: [UInt8] {
        var builder = ByteBuilder()
        builder.append(contentsOf: BlockTombstones.magic)
        builder.appendLittleEndian(BlockTombstones.version)
        builder.appendLittleEndian(UInt32(bySeries.count))
        var next: UInt32 = 0
        for (series, set) in bySeries.sorted(by: { $0.key < $1.key }) {
            builder.appendVarint(UInt64(series - next))
            next = series + 1
            builder.appendVarint(set.ranges.count)
            var start: Timestamp = 0
            for range in set.ranges {
                builder.appendZigzag(range.min &- start)
                builder.appendVarint(UInt64(bitPattern: range.max &- range.min))
                start = range.min
            }
        }
        builder.appendLittleEndian(CRC32C.checksum(builder.bytes))
        return builder.bytes
    }

    init(_ bytes: [UInt8], seriesCount: Int) throws(ByteError) {
        let contentBytes = bytes.count - 4
        guard bytes.count >= 20, bytes.starts(with: BlockTombstones.magic) else {
            throw .outOfBounds(offset: 0, what: "magic of tombstones")
        }
        self = try ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) in
            _ = try cursor.bytes(BlockTombstones.magic.count)
            let version = try cursor.littleEndian(UInt32.self)
            guard version == BlockTombstones.version else {
                throw .outOfBounds(offset: 8, what: "version \(version) of tombstones")
            }
            let tombstones = try BlockTombstones(&cursor, seriesCount: seriesCount)
            guard cursor.position == contentBytes else {
                throw .outOfBounds(offset: cursor.position, what: "end of tombstones")
            }
            guard try cursor.littleEndian(UInt32.self) == CRC32C.checksum(bytes[..<contentBytes]) else {
                throw .outOfBounds(offset: contentBytes, what: "checksum")
            }
            return tombstones
        }
    }

    private init(_ cursor: inout ByteCursor, seriesCount: Int) throws(ByteError) {
        let count = Int(try cursor.littleEndian(UInt32.self))
        var next = 0
        for _ in 0..<count {
            let offset = cursor.position
            let number = next + (try cursor.varint(atMost: Int(UInt32.max), "series"))
            guard number < seriesCount, let series = UInt32(exactly: number) else {
                throw .outOfBounds(offset: offset, what: "series \(number) of \(seriesCount)")
            }
            next = number + 1
            bySeries[series] = try BlockTombstones.ranges(&cursor)
        }
    }

    private static func ranges(_ cursor: inout ByteCursor) throws(ByteError) -> TimeRangeSet {
        let offset = cursor.position
        let count = try cursor.varint(atMost: cursor.remaining / 2, "deleted ranges")
        var set = TimeRangeSet()
        var start: Timestamp = 0
        for _ in 0..<count {
            start = start &+ (try cursor.zigzag())
            let end = start &+ Int64(bitPattern: try cursor.varint())
            guard start <= end else { throw .outOfBounds(offset: offset, what: "deleted range") }
            set.insert(TimeRange(min: start, max: end))
        }
        // In order and apart, as the writer has them.
        guard count > 0, set.ranges.count == count else { throw .outOfBounds(offset: offset, what: "deleted ranges") }
        return set
    }
}
