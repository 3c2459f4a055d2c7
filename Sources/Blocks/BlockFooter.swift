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

/// Where the tables of the index lie: offsets into the pages' contents, and numbers of rows.
struct IndexTables: Sendable, Hashable {
    /// The symbols' bytes.
    var symbols: UInt64 = 0
    /// Their ends, relative to `symbols`: row i is where symbol i begins; one row more than symbols.
    var symbolRows: UInt64 = 0
    var symbolCount: UInt32 = 0
    /// Where each series' entry begins; one row more than series.
    var seriesRows: UInt64 = 0
    var pairRows: UInt64 = 0
    var pairCount: UInt32 = 0
    /// The first pair of each label name; one row more than names.
    var nameRows: UInt64 = 0
    var nameCount: UInt32 = 0
    /// Where the contents end.
    var end: UInt64 = 0
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
        for offset in [tables.symbols, tables.symbolRows, tables.seriesRows, tables.pairRows, tables.nameRows] {
            builder.appendLittleEndian(offset)
        }
        builder.appendLittleEndian(tables.end)
        for count in [tables.symbolCount, tables.pairCount, tables.nameCount] { builder.appendLittleEndian(count) }
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
        do throws(ByteError) {
            let (version, checksum, footer) = try ByteCursor.read(bytes) {
                (cursor: inout ByteCursor) throws(ByteError) in
                _ = try cursor.bytes(BlockFormat.footerMagic.count)
                let version = try cursor.littleEndian(UInt32.self)
                let footer = try BlockFooter(&cursor)
                return (version, try cursor.littleEndian(UInt32.self), footer)
            }
            self = footer
            guard version == BlockFormat.version else {
                throw ByteError.outOfBounds(offset: 8, what: "version \(version)")
            }
            guard checksum == CRC32C.checksum(bytes[..<contentBytes]) else {
                throw ByteError.outOfBounds(offset: contentBytes, what: "checksum")
            }
        } catch {
            throw .corruption(error, file: file, base: 0)
        }
    }

    private init(_ cursor: inout ByteCursor) throws(ByteError) {
        func number(_ what: String) throws(ByteError) -> Int {
            let offset = cursor.position
            guard let number = Int(exactly: try cursor.littleEndian(UInt64.self)) else {
                throw .outOfBounds(offset: offset, what: what)
            }
            return number
        }
        level = Int(try cursor.littleEndian(UInt32.self))
        identifier = try cursor.blockIdentifier()
        range = TimeRange(min: try cursor.littleEndian(Int64.self), max: try cursor.littleEndian(Int64.self))
        seriesCount = try number("number of series")
        chunkCount = try number("number of chunks")
        sampleCount = try number("number of samples")
        lsn = try cursor.littleEndian(UInt64.self)
        dataBytes = try number("data size")
        indexBytes = try number("index size")
        tables.symbols = try cursor.littleEndian(UInt64.self)
        tables.symbolRows = try cursor.littleEndian(UInt64.self)
        tables.seriesRows = try cursor.littleEndian(UInt64.self)
        tables.pairRows = try cursor.littleEndian(UInt64.self)
        tables.nameRows = try cursor.littleEndian(UInt64.self)
        tables.end = try cursor.littleEndian(UInt64.self)
        tables.symbolCount = try cursor.littleEndian(UInt32.self)
        tables.pairCount = try cursor.littleEndian(UInt32.self)
        tables.nameCount = try cursor.littleEndian(UInt32.self)
        let offset = cursor.position
        let parentCount = Int(try cursor.littleEndian(UInt32.self))
        guard parentCount <= cursor.remaining / 16 else { throw .outOfBounds(offset: offset, what: "parents") }
        parents = []
        for _ in 0..<parentCount { parents.append(try cursor.blockIdentifier()) }
        guard seriesCount < Int(UInt32.max), cursor.remaining == BlockFormat.checksumBytes else {
            throw .outOfBounds(offset: cursor.position, what: "footer")
        }
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
