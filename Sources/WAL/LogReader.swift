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
    /// The pages before were given back: what a replay has read is not to count as memory that it takes.
    private var releasedOffset = 0
    private static let releaseBytes = 4 << 20

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
        file.expectSequentialReading()
    }

    var path: String { file.path }
    var size: Int { file.size }

    /// nil at the end of the file.
    mutating func next() throws(StorageError) -> LogFrame? {
        if offset == file.size { return nil }
        let headerBytes = LogFormat.frameHeaderBytes
        guard file.size - offset >= headerBytes else { throw damaged("frame header ends early") }
        let head = LogFrameHeader(try LogReader.bytes(file, at: offset, headerBytes))
        // The checksum covers the length too, so a wrong length is met by one of two checks: it does not fit into the
        // file, or the checksum over what it spans is wrong. Neither allocates more than the file has.
        guard head.isWithinBounds else { throw damaged("frame length out of bounds") }
        guard head.storedCount <= file.size - offset - headerBytes else { throw damaged("frame ends early") }
        let stored = try LogReader.bytes(file, at: offset + headerBytes, head.storedCount)
        let frame: LogFrame
        do throws(LogFrameHeader.Malformed) {
            frame = try head.frame(stored, offset: offset)
        } catch {
            throw damaged(error.reason)
        }
        offset += frame.byteCount
        if offset - releasedOffset >= LogReader.releaseBytes {
            file.releasePages(from: releasedOffset, to: offset)
            releasedOffset = offset / LogReader.releaseBytes * LogReader.releaseBytes
        }
        return frame
    }

    /// After a thrown corruption: goes on behind the frame, as far as its length can be believed.
    /// - Returns: false where nothing good follows.
    mutating func skipDamaged() -> Bool {
        let headerBytes = LogFormat.frameHeaderBytes
        guard file.size - offset > headerBytes,
            let head = try? LogReader.bytes(file, at: offset, headerBytes)
        else { return false }
        let storedCount = LogFrameHeader(head).storedCount
        guard storedCount <= LogFormat.payloadBytesMax, storedCount <= file.size - offset - headerBytes else {
            return false
        }
        offset += headerBytes + storedCount
        return offset < file.size
    }

    /// A corruption at the frame that `offset` points to.
    func damaged(_ reason: String) -> StorageError { .corruption(file: file.path, offset: offset, reason: reason) }

    private static func bytes(_ file: MappedFile, at offset: Int, _ count: Int) throws(StorageError) -> [UInt8] {
        do throws(FileError) {
            return try file.bytes(at: offset, count: count)
        } catch {
            throw .corruption(file: file.path, offset: offset, reason: error.description)
        }
    }
}
