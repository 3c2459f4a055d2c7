import FileIO
import StorageAPI
import StorageFiles

/// Reads the frames of one segment in order, while it may be written still: only those of records that were
/// acknowledged. What stands behind them in the file may be cut off again and replaced.
///
/// Keeps no file open, so that a segment that is removed gives its room to others.
struct SegmentReader {
    enum Failure: Error {
        case file(FileError)
        /// What is wrong with the bytes: nothing behind them can be decoded.
        case damaged(String)
    }

    let number: UInt64
    /// Of its first record.
    let origin: LSN
    private let fileSystem: any FileSystem
    private let path: String
    /// Where in the file the next frame begins.
    private var offset = LogFormat.fileHeaderBytes
    private var buffer: [UInt8]
    /// Where in the file the buffer's bytes begin, and how many are good.
    private var bufferStart = 0
    private var bufferCount = 0
    /// The frames up to this record had been acknowledged before the buffer was filled.
    private var acknowledged: LSN = 0

    /// What is read at once. Bytes.
    private static let bufferBytes = 64 << 10
    /// A buffer that had to be larger than this is not kept. Bytes.
    private static let bufferBytesKept = 1 << 20

    init(fileSystem: any FileSystem, directory: String, number: UInt64) throws(Failure) {
        self.fileSystem = fileSystem
        path = FilePath.join(directory, LogFormat.segmentName(number))
        self.number = number
        buffer = [UInt8](repeating: 0, count: SegmentReader.bufferBytes)
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try LogFileHeader.bytes(fileSystem, path)
        } catch {
            throw .file(error)
        }
        let header: LogFileHeader
        do throws(StorageError) {
            header = try LogFileHeader(bytes, file: path)
        } catch {
            throw .damaged("\(error)")
        }
        guard header.kind == .segment, header.number == number else { throw .damaged("header of another file") }
        origin = header.origin
    }

    /// The frame of the record that follows the one before; of the first one at the beginning.
    /// - Precondition: the record is one of those that are acknowledged.
    mutating func next(_ lsn: LSN, acknowledged newest: LSN) throws(Failure) -> LogFrame {
        precondition(lsn <= newest, "record \(lsn) is not acknowledged")
        if lsn > acknowledged {
            bufferCount = 0
            acknowledged = newest
        }
        let head = LogFrameHeader(try bytes(at: offset, LogFormat.frameHeaderBytes))
        guard head.isWithinBounds else { throw .damaged("frame length out of bounds") }
        let stored = try bytes(at: offset + LogFormat.frameHeaderBytes, head.storedCount)
        let frame: LogFrame
        do throws(LogFrameHeader.Malformed) {
            frame = try head.frame(stored, offset: offset)
        } catch {
            throw .damaged(error.reason)
        }
        guard frame.lsn == lsn else { throw .damaged("record \(frame.lsn) in place of \(lsn)") }
        guard frame.type.isBatch else { throw .damaged("record type \(frame.type) in a segment") }
        offset += frame.byteCount
        return frame
    }

    private mutating func bytes(at start: Int, _ count: Int) throws(Failure) -> [UInt8] {
        if start < bufferStart || start + count > bufferStart + bufferCount { try fill(from: start, count) }
        let first = start - bufferStart
        return Array(buffer[first..<first + count])
    }

    private func fileBytes() throws(Failure) -> Int {
        do throws(FileError) {
            return try fileSystem.size(path)
        } catch {
            throw .file(error)
        }
    }

    private mutating func fill(from start: Int, _ count: Int) throws(Failure) {
        if count > buffer.count || buffer.count > SegmentReader.bufferBytesKept {
            // A damaged length asks for much more than there is.
            if count > SegmentReader.bufferBytes, try fileBytes() - start < count { throw .damaged("frame ends early") }
            buffer = [UInt8](repeating: 0, count: max(count, SegmentReader.bufferBytes))
        }
        bufferCount = 0
        let result = buffer.withUnsafeMutableBytes { [fileSystem, path] target -> Result<Int, FileError> in
            do throws(FileError) {
                return .success(try fileSystem.copy(path, from: start, into: target))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let read):
            (bufferStart, bufferCount) = (start, read)
            guard read >= count else { throw .damaged("frame ends early") }
        case .failure(let error): throw .file(error)
        }
    }
}
