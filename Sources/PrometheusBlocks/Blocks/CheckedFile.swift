import ByteCoding
import FileIO
import StorageAPI

/// A mapped file of Prometheus': pieces of it as copies, and what is wrong with it as the store's own error.
struct CheckedFile: Sendable {
    private let file: MappedFile

    init(_ file: MappedFile) { self.file = file }

    var path: String { file.path }
    /// Bytes.
    var size: Int { file.size }

    /// A copy of a piece.
    func bytes(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        do throws(FileError) {
            return try file.bytes(at: offset, count: count)
        } catch {
            throw damaged(at: offset, error.description)
        }
    }

    /// At most so many bytes: fewer at the end of the file.
    func bytes(at offset: Int, atMost count: Int) throws(StorageError) -> [UInt8] {
        guard offset >= 0, offset <= size else { throw damaged(at: offset, "place beyond the end of the file") }
        return try bytes(at: offset, count: min(count, size - offset))
    }

    func bigEndian<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) throws(StorageError) -> T {
        let bytes = try bytes(at: offset, count: MemoryLayout<T>.size)
        return T(bigEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: T.self) })
    }

    /// The content of a section: its length in four bytes, then content and checksum.
    func section(at offset: Int, _ what: String) throws(StorageError) -> [UInt8] {
        let length = Int(try bigEndian(UInt32.self, at: offset))
        guard length <= size - offset - 4 - PrometheusFormat.checksumBytes else {
            throw damaged(at: offset, "\(what): \(length) bytes beyond the end of the file")
        }
        let content = try bytes(at: offset + 4, count: length)
        guard CRC32C.checksum(content) == (try bigEndian(UInt32.self, at: offset + 4 + length)) else {
            throw damaged(at: offset, "\(what): checksum")
        }
        return content
    }

    /// Reads fields of content that began at `base`.
    func fields<R>(
        _ content: [UInt8], at base: Int, _ what: String, _ body: (inout ByteCursor) throws(ByteError) -> R
    ) throws(StorageError) -> R {
        do throws(ByteError) {
            return try ByteCursor.read(content, body)
        } catch {
            throw damaged(at: base + error.offset, "\(what): \(error)")
        }
    }

    func damaged(at offset: Int, _ reason: String) -> StorageError {
        .corruption(file: path, offset: offset, reason: reason)
    }
}
