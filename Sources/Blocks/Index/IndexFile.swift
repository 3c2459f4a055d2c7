import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// The index's blocks by number. They are copied out of the mapping and checked.
final class IndexFile: Sendable {
    private final class DirectoryBlock: Sendable {
        let offsets: [UInt64]
        init(_ offsets: [UInt64]) { self.offsets = offsets }
    }

    let path: String
    let tables: IndexTables
    private let file: MappedFile
    private let directory = DecodedCache<DirectoryBlock>(count: 64)

    init(_ file: MappedFile, footer: BlockFooter) throws(StorageError) {
        self.file = file
        path = file.path
        tables = footer.tables
        let header = try file.piece(0, min(BlockFormat.fileHeaderBytes, file.size))
        try BlockFormat.checkFileHeader(header, BlockFormat.indexMagic, footer.identifier, file: path)
    }

    func damaged(_ reason: String, at offset: Int = 0) -> StorageError {
        .corruption(file: path, offset: offset, reason: reason)
    }

    /// The content of the block that holds an item.
    /// - Parameters:
    ///   - number: of the block in its section.
    ///   - decode: gets a cursor over the content, which must be at its end afterwards, and the number of items.
    func block<R>(
        _ section: IndexTables.Section, _ number: Int, perBlock: Int,
        _ decode: (inout ByteCursor, Int) throws(ByteError) -> R
    ) throws(StorageError) -> R {
        let items = min(perBlock, Int(section.items) - number * perBlock)
        guard items > 0 else { throw damaged("block \(number) of a part of \(section.items) items") }
        let (first, last) = try bounds(Int(section.block) + number)
        let content = try checked(first, last - first)
        do throws(ByteError) {
            return try ByteCursor.read(content) { (cursor: inout ByteCursor) throws(ByteError) in
                let result = try decode(&cursor, items)
                guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "end of the block") }
                return result
            }
        } catch {
            throw .corruption(error, file: path, base: first)
        }
    }

    /// The content of a block or record, its checksum right.
    /// - Parameter length: with the checksum.
    func checked(_ offset: Int, _ length: Int) throws(StorageError) -> [UInt8] {
        guard length >= BlockFormat.checksumBytes else { throw damaged("a block of \(length) bytes", at: offset) }
        var bytes = try file.piece(offset, length)
        let checksum = bytes.suffix(BlockFormat.checksumBytes).littleEndian32
        bytes.removeLast(BlockFormat.checksumBytes)
        guard CRC32C.checksum(bytes) == checksum else { throw damaged("checksum of the index", at: offset) }
        return bytes
    }

    /// Where a block begins and ends.
    private func bounds(_ block: Int) throws(StorageError) -> (first: Int, last: Int) {
        guard block < Int(tables.blockCount) else { throw damaged("block \(block) of \(tables.blockCount)") }
        let (first, last) = (try offset(block), try offset(block + 1))
        guard let first = Int(exactly: first), let last = Int(exactly: last), first <= last, last <= file.size else {
            throw damaged("the directory's row of block \(block)")
        }
        return (first, last)
    }

    private func offset(_ row: Int) throws(StorageError) -> UInt64 {
        let (number, place) = row.quotientAndRemainder(dividingBy: BlockFormat.directoryRows)
        let block = try directory.value(number) { () throws(StorageError) in try directoryBlock(number) }
        guard place < block.offsets.count else { throw damaged("row \(row) of the directory") }
        return block.offsets[place]
    }

    private func directoryBlock(_ number: Int) throws(StorageError) -> DirectoryBlock {
        let rows = min(BlockFormat.directoryRows, Int(tables.blockCount) + 1 - number * BlockFormat.directoryRows)
        let stride = BlockFormat.directoryRows * BlockFormat.directoryRowBytes + BlockFormat.checksumBytes
        guard rows > 0, tables.directory <= UInt64(file.size) else { throw damaged("directory") }
        let content = try checked(
            Int(tables.directory) + number * stride,
            rows * BlockFormat.directoryRowBytes + BlockFormat.checksumBytes)
        return DirectoryBlock(
            content.withUnsafeBytes { bytes in
                (0..<rows).map {
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
                }
            })
    }

    /// Reads each block and record that there is, and whether they follow each other without gaps.
    func verify(records: [(offset: Int, length: Int)]) throws(StorageError) {
        var position = BlockFormat.fileHeaderBytes
        for record in records.sorted(by: { $0.offset < $1.offset }) {
            guard record.offset == position else { throw damaged("bytes that belong to nothing", at: position) }
            _ = try checked(record.offset, record.length + BlockFormat.checksumBytes)
            position += record.length + BlockFormat.checksumBytes
        }
        for block in 0..<Int(tables.blockCount) {
            let (first, last) = try bounds(block)
            guard first == position else { throw damaged("bytes that belong to nothing", at: position) }
            _ = try checked(first, last - first)
            position = last
        }
        let rows = Int(tables.blockCount) + 1
        let blocks = (rows + BlockFormat.directoryRows - 1) / BlockFormat.directoryRows
        let end = position + rows * BlockFormat.directoryRowBytes + blocks * BlockFormat.checksumBytes
        guard UInt64(position) == tables.directory, end == file.size else {
            throw damaged("the directory is not where the footer says", at: position)
        }
    }
}

extension MappedFile {
    /// A copy of a piece.
    func piece(_ offset: Int, _ count: Int) throws(StorageError) -> [UInt8] {
        do throws(FileError) {
            return try bytes(at: offset, count: count)
        } catch {
            throw .corruption(file: path, offset: offset, reason: error.description)
        }
    }
}
