import ByteCoding
package import SeriesModel
import StorageAPI
package import StorageFiles

/// What a block is, told by the block itself: the catalog can be rebuilt from the footers.
package struct BlockFooter: Sendable, Hashable {
    package var identifier: BlockIdentifier
    /// Samples lie in `range.min ..< range.max`: unlike elsewhere the end is **not** part of the range, so that one
    /// block ends where the next begins. ms
    package var range: TimeRange
    package var seriesCount = 0
    /// Pages of floats and chunks of histograms.
    package var chunkCount = 0
    package var sampleCount = 0
    /// 1 for a block cut from the head, more for merged ones.
    package var level: Int
    /// The blocks that this one takes the place of.
    package var parents: [BlockIdentifier]
    /// The newest log record whose samples are in the block.
    package var lsn: LSN
    /// Sizes of the files.
    package var dataBytes = 0
    package var indexBytes = 0
    var tables = IndexTables()

    /// Of all three files.
    package var bytes: Int { dataBytes + indexBytes + encoded.count }
}

/// Where the parts of the index lie.
struct IndexTables: Sendable, Hashable {
    /// Equal items cut into blocks of a fixed number of them.
    struct Section: Sendable, Hashable {
        /// The number of its first block.
        var block: UInt32 = 0
        var items: UInt32 = 0
    }

    var symbols = Section()
    var pairs = Section()
    var names = Section()
    var layouts = Section()
    var series = Section()
    /// Where the directory of the blocks begins, and how many blocks it has. Behind the last one it ends.
    var directory: UInt64 = 0
    var blockCount: UInt32 = 0
}

// MARK: - Bytes

extension BlockFooter {
    var encoded: [UInt8] {
        var builder = ByteBuilder()
        builder.append(contentsOf: BlockFormat.footerMagic)
        builder.appendLittleEndian(BlockFormat.version)
        builder.appendLittleEndian(UInt32(level))
        builder.append(identifier)
        builder.appendLittleEndian(range.min)
        builder.appendLittleEndian(range.max)
        for number in [seriesCount, chunkCount, sampleCount] { builder.appendLittleEndian(UInt64(number)) }
        builder.appendLittleEndian(lsn)
        for number in [dataBytes, indexBytes] { builder.appendLittleEndian(UInt64(number)) }
        for section in [tables.symbols, tables.pairs, tables.names, tables.layouts, tables.series] {
            builder.appendLittleEndian(section.block)
            builder.appendLittleEndian(section.items)
        }
        builder.appendLittleEndian(tables.directory)
        builder.appendLittleEndian(tables.blockCount)
        builder.appendLittleEndian(UInt32(parents.count))
        for parent in parents { builder.append(parent) }
        builder.appendLittleEndian(CRC32C.checksum(builder.bytes))
        return builder.bytes
    }

    /// - Throws: `StorageError.corruption` for bytes that are not a footer, or one of another version.
    init(_ bytes: [UInt8], file: String) throws(StorageError) {
        let contentBytes = bytes.count - BlockFormat.checksumBytes
        guard contentBytes > 0, bytes.starts(with: BlockFormat.footerMagic) else {
            throw .corruption(file: file, offset: 0, reason: "not a block footer")
        }
        guard CRC32C.checksum(bytes[..<contentBytes]) == bytes[contentBytes...].littleEndian32 else {
            throw .corruption(file: file, offset: contentBytes, reason: "checksum of the footer")
        }
        let version = bytes[BlockFormat.footerMagic.count...].littleEndian32
        guard version == BlockFormat.version else {
            throw .corruption(
                file: file, offset: BlockFormat.footerMagic.count,
                reason: "a block of format version \(version): only version \(BlockFormat.version) is read")
        }
        do throws(ByteError) {
            self = try ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) in
                try BlockFooter(&cursor)
            }
        } catch {
            throw .corruption(error, file: file, base: 0)
        }
    }

    /// - Parameter cursor: over a footer whose checksum is right.
    private init(_ cursor: inout ByteCursor) throws(ByteError) {
        func number(_ what: String) throws(ByteError) -> Int {
            let offset = cursor.position
            guard let number = Int(exactly: try cursor.littleEndian(UInt64.self)), number < 1 << 62 else {
                throw .outOfBounds(offset: offset, what: what)
            }
            return number
        }
        func section() throws(ByteError) -> IndexTables.Section {
            IndexTables.Section(
                block: try cursor.littleEndian(UInt32.self), items: try cursor.littleEndian(UInt32.self))
        }
        _ = try cursor.bytes(BlockFormat.footerMagic.count + 4)
        level = Int(try cursor.littleEndian(UInt32.self))
        identifier = try cursor.blockIdentifier()
        range = TimeRange(min: try cursor.littleEndian(Int64.self), max: try cursor.littleEndian(Int64.self))
        seriesCount = try number("number of series")
        chunkCount = try number("number of pages")
        sampleCount = try number("number of samples")
        lsn = try cursor.littleEndian(UInt64.self)
        dataBytes = try number("data size")
        indexBytes = try number("index size")
        tables.symbols = try section()
        tables.pairs = try section()
        tables.names = try section()
        tables.layouts = try section()
        tables.series = try section()
        tables.directory = try cursor.littleEndian(UInt64.self)
        tables.blockCount = try cursor.littleEndian(UInt32.self)
        let offset = cursor.position
        let parentCount = Int(try cursor.littleEndian(UInt32.self))
        guard parentCount <= cursor.remaining / 16 else { throw .outOfBounds(offset: offset, what: "parents") }
        parents = []
        for _ in 0..<parentCount { parents.append(try cursor.blockIdentifier()) }
        guard seriesCount < Int(UInt32.max), seriesCount == Int(tables.series.items), range.min < range.max,
            cursor.remaining == BlockFormat.checksumBytes
        else { throw .outOfBounds(offset: cursor.position, what: "footer") }
    }
}

extension ByteBuilder {
    /// Big-endian, so that identifiers sort by their bytes.
    fileprivate mutating func append(_ identifier: BlockIdentifier) {
        appendBigEndian(identifier.high)
        appendBigEndian(identifier.low)
    }
}

extension ByteCursor {
    fileprivate mutating func blockIdentifier() throws(ByteError) -> BlockIdentifier {
        BlockIdentifier(high: try bigEndian(UInt64.self), low: try bigEndian(UInt64.self))
    }
}

extension Collection<UInt8> {
    /// Of the first four bytes.
    var littleEndian32: UInt32 {
        var value: UInt32 = 0
        for (index, byte) in prefix(4).enumerated() { value |= UInt32(byte) << UInt32(8 * index) }
        return value
    }
}
