import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// Writes the index: content is cut into pages, each followed by its checksum. Positions are counted in content, so that
/// the tables know nothing of pages.
struct PageWriter {
    private let file: any AppendableFile
    private var page = ByteBuilder(capacity: BlockFormat.pageContentBytes)
    private var output = ByteBuilder()
    /// Content written so far. Bytes.
    private(set) var position: UInt64 = 0

    init(_ file: any AppendableFile) { self.file = file }

    mutating func write(_ bytes: [UInt8]) throws(StorageError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(BlockFormat.pageContentBytes - page.count)
            page.append(contentsOf: piece)
            position += UInt64(piece.count)
            rest = rest.dropFirst(piece.count)
            if page.count == BlockFormat.pageContentBytes { try endPage() }
        }
    }

    /// The last page is as short as its content.
    mutating func finish() throws(StorageError) {
        if page.count > 0 { try endPage() }
        try flush()
    }

    private mutating func endPage() throws(StorageError) {
        output.append(contentsOf: page.bytes)
        output.appendLittleEndian(CRC32C.checksum(page.bytes))
        page.removeAll()
        if output.count >= 64 * BlockFormat.pageBytes { try flush() }
    }

    private mutating func flush() throws(StorageError) {
        let (file, bytes) = (file, output.bytes)
        try StorageError.wrapping { () throws(FileError) in try file.append(bytes) }
        output.removeAll()
    }
}
