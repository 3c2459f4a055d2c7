import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// Reads the frames of one segment or checkpoint in order. Whatever is wrong with the bytes is a thrown corruption that
/// names the frame's offset; after it the reader is of no more use.
struct LogReader {
    let header: LogFileHeader
    private let file: MappedFile
    /// Where the next frame begins: everything before it was good.
    private(set) var offset: Int

    /// - Throws: `StorageError.corruption` where the header is not that of such a file.
    init(fileSystem: any FileSystem, path: String, kind: LogFormat.FileKind) throws(StorageError) {
        file = try StorageError.wrapping { () throws(FileError) in try fileSystem.map(path) }
        guard file.size >= LogFormat.fileHeaderBytes else {
            throw .corruption(file: path, offset: 0, reason: "file of \(file.size) bytes has no header")
        }
        let bytes = try LogReader.bytes(file, at: 0, LogFormat.fileHeaderBytes)
        header = try LogFileHeader(bytes, file: path)
        guard header.kind == kind else { throw .corruption(file: path, offset: 0, reason: "not a \(kind)") }
        offset = LogFormat.fileHeaderBytes
    }

    var path: String { file.path }
    var size: Int { file.size }

    /// nil at the end of the file.
    mutating func next() throws(StorageError) -> LogFrame? {
        if offset == file.size { return nil }
        let headerBytes = LogFormat.frameHeaderBytes
        guard file.size - offset >= headerBytes else { throw damaged("frame header ends early") }
        let head = try LogReader.bytes(file, at: offset, headerBytes)
        // The checksum covers the length too, so a wrong length is met by one of two checks: it does not fit into the
        // file, or the checksum over what it spans is wrong. Neither allocates more than the file has.
        let storedCount = Int(field(head, 4))
        let payloadCount = Int(field(head, 20))
        guard payloadCount <= LogFormat.payloadBytesMax, storedCount <= LogFormat.payloadBytesMax else {
            throw damaged("frame length out of bounds")
        }
        guard storedCount <= file.size - offset - headerBytes else { throw damaged("frame ends early") }
        let stored = try LogReader.bytes(file, at: offset + headerBytes, storedCount)
        guard CRC32C.checksum(stored, extending: CRC32C.checksum(head[4...])) == field(head, 0) else {
            throw damaged("frame checksum")
        }
        guard let type = LogFormat.RecordType(rawValue: head[16]) else { throw damaged("record type \(head[16])") }
        let frame = LogFrame(
            lsn: UInt64(field(head, 8)) | UInt64(field(head, 12)) << 32, type: type,
            payload: try payload(of: stored, flags: head[17], size: payloadCount), offset: offset,
            byteCount: headerBytes + storedCount)
        offset += frame.byteCount
        return frame
    }

    /// After a thrown corruption: goes on behind the frame, as far as its length can be believed.
    /// - Returns: false where nothing good follows.
    mutating func skipDamaged() -> Bool {
        let headerBytes = LogFormat.frameHeaderBytes
        guard file.size - offset > headerBytes,
            let head = try? LogReader.bytes(file, at: offset, headerBytes)
        else { return false }
        let storedCount = Int(field(head, 4))
        guard storedCount <= LogFormat.payloadBytesMax, storedCount <= file.size - offset - headerBytes else {
            return false
        }
        offset += headerBytes + storedCount
        return offset < file.size
    }

    /// A corruption at the frame that `offset` points to.
    func damaged(_ reason: String) -> StorageError { .corruption(file: file.path, offset: offset, reason: reason) }

    private func payload(of stored: [UInt8], flags: UInt8, size: Int) throws(StorageError) -> [UInt8] {
        switch flags {
        case 0:
            guard stored.count == size else { throw damaged("payload length") }
            return stored
        case LogFormat.compressedFlag:
            do throws(LZ4.Malformed) {
                return try LZ4.decompress(stored, size: size)
            } catch {
                throw damaged("compressed payload")
            }
        default: throw damaged("frame flags \(flags)")
        }
    }

    /// - Precondition: the field lies within the frame header.
    private func field(_ head: [UInt8], _ offset: Int) -> UInt32 {
        UInt32(head[offset]) | UInt32(head[offset + 1]) << 8 | UInt32(head[offset + 2]) << 16
            | UInt32(head[offset + 3]) << 24
    }

    private static func bytes(_ file: MappedFile, at offset: Int, _ count: Int) throws(StorageError) -> [UInt8] {
        do throws(FileError) {
            return try file.bytes(at: offset, count: count)
        } catch {
            throw .corruption(file: file.path, offset: offset, reason: error.description)
        }
    }
}
