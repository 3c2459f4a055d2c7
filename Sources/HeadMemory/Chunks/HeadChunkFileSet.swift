import ByteCoding
import ChunkEncoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// The head-chunk files as they were at one moment: what a view reads closed chunks from. A file that was removed since
/// stays readable for it.
final class HeadChunkFileSet: Sendable {
    /// Ascending by number.
    let files: [(number: UInt32, file: any RandomAccessFile)]
    /// Where they lie: names one that is missing.
    private let directory: String

    init(_ files: [(number: UInt32, file: any RandomAccessFile)], in directory: String) {
        self.files = files
        self.directory = directory
    }

    private func file(_ number: UInt32) -> (any RandomAccessFile)? {
        // Few: the head spans some hours.
        for entry in files.reversed() where entry.number == number { return entry.file }
        return nil
    }

    /// Appends the chunk's samples within the range.
    /// - Parameter slot: of the series that the chunk must be of.
    /// - Throws: `StorageError.corruption`, or what the system says; nothing has been appended then.
    func read(
        _ chunk: ClosedChunk, of slot: UInt32, _ range: TimeRange, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        try withRecord(chunk, of: slot) { (encoding, payload) throws(ChunkError) in
            try encoding.decode(padded: payload, into: &buffer, range: range)
        }
    }

    /// The chunk as it was closed.
    func chunk(_ chunk: ClosedChunk, of slot: UInt32) throws(StorageError) -> (encoding: ChunkEncoding, bytes: [UInt8])
    {
        var found: (encoding: ChunkEncoding, bytes: [UInt8]) = (.xor, [])
        try withRecord(chunk, of: slot) { (encoding, payload) throws(ChunkError) in found = (encoding, Array(payload)) }
        return found
    }

    private func withRecord(
        _ chunk: ClosedChunk, of slot: UInt32,
        _ body: (ChunkEncoding, UnsafeRawBufferPointer) throws(ChunkError) -> Void
    ) throws(StorageError) {
        guard let file = file(chunk.place.file) else {
            throw .corruption(
                file: FilePath.join(directory, HeadChunkFormat.name(chunk.place.file)),
                offset: Int(chunk.place.offset), reason: "head-chunk file is missing")
        }
        let count = Int(chunk.length)
        let offset = Int(chunk.place.offset)
        guard count > 4, count <= HeadChunkFormat.recordBytesMax else {
            throw .corruption(file: file.path, offset: offset, reason: "head chunk of \(count) bytes")
        }
        let failure = withUnsafeTemporaryAllocation(
            byteCount: count + XORDecoder.padding, alignment: 8
        ) { memory -> StorageError? in
            do throws(FileError) {
                try file.copy(from: offset, into: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
            } catch {
                // What the system cannot read now is not damaged: it may read it the next time.
                if error.code != 0 { return StorageError(error) }
                return .corruption(file: file.path, offset: offset, reason: error.description)
            }
            for index in count..<memory.count { memory[index] = 0 }
            let record = UnsafeRawBufferPointer(rebasing: memory[..<count])
            do throws(ByteError) {
                let header = try HeadChunkHeader(record)
                guard header.slot == slot else { throw .outOfBounds(offset: 4, what: "slot") }
                do throws(ChunkError) {
                    try body(header.encoding, UnsafeRawBufferPointer(rebasing: record[header.payload...]))
                    return nil
                } catch {
                    return .corruption(file: file.path, offset: offset, reason: error.description)
                }
            } catch {
                return .corruption(file: file.path, offset: offset, reason: "head chunk: \(error)")
            }
        }
        if let failure { throw failure }
    }
}

/// What stands before a chunk's bytes: the checksum of all that follows, the chunk's length, whose it is, how it is
/// encoded.
struct HeadChunkHeader {
    let slot: UInt32
    let generation: UInt32
    let encoding: ChunkEncoding
    let isOutOfOrder: Bool
    /// Where the chunk's bytes begin.
    let payload: Int

    /// Checks a whole record.
    init(_ record: UnsafeRawBufferPointer) throws(ByteError) {
        var cursor = ByteCursor(record)
        let checksum = try cursor.littleEndian(UInt32.self)
        guard CRC32C.checksum(UnsafeRawBufferPointer(rebasing: record[4...])) == checksum else {
            throw .outOfBounds(offset: 0, what: "checksum")
        }
        let length = try cursor.varint(atMost: record.count, "length")
        slot = UInt32(try cursor.varint(atMost: Int(UInt32.max), "slot"))
        generation = UInt32(try cursor.varint(atMost: Int(UInt32.max), "generation"))
        guard let encoding = ChunkEncoding(rawValue: try cursor.byte()) else {
            throw .outOfBounds(offset: cursor.position - 1, what: "encoding")
        }
        self.encoding = encoding
        let flags = try cursor.byte()
        guard flags <= 1 else { throw .outOfBounds(offset: cursor.position - 1, what: "flags") }
        isOutOfOrder = flags == 1
        payload = cursor.position
        guard length == record.count - payload else { throw .outOfBounds(offset: 4, what: "length") }
    }

    /// Appends a record.
    static func append(
        _ chunk: MemoryChunk, slot: UInt32, generation: UInt32, isOutOfOrder: Bool, to output: inout ByteBuilder
    ) {
        let start = output.count
        output.appendLittleEndian(UInt32(0))
        output.appendVarint(chunk.bytes.count)
        output.appendVarint(UInt64(slot))
        output.appendVarint(UInt64(generation))
        output.append(chunk.encoding.rawValue)
        output.append(isOutOfOrder ? 1 : 0)
        output.append(contentsOf: chunk.bytes)
        output.overwriteLittleEndian(CRC32C.checksum(output.bytes[(start + 4)...]), at: start)
    }
}

/// A chunk that is not written any more and is in no file yet.
struct MemoryChunk: Sendable {
    let encoding: ChunkEncoding
    let range: TimeRange
    let bytes: [UInt8]
}
