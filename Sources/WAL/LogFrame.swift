import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// The envelope of a record. The checksum covers everything behind itself, header and payload as stored.
struct LogFrame {
    var lsn: LSN
    var type: LogFormat.RecordType
    /// Decompressed.
    var payload: [UInt8]
    /// Where in the file the frame begins, and what it takes there.
    var offset: Int
    var byteCount: Int

    /// Appends the frame of a payload, compressed where that pays (a sixteenth at least).
    static func append(
        _ type: LogFormat.RecordType, lsn: LSN, payload: [UInt8], scratch: inout [UInt8], to output: inout ByteBuilder
    ) {
        var isCompressed = false
        if payload.count >= LogFormat.compressedBytesMin {
            isCompressed = payload.withUnsafeBytes {
                LZ4.compress($0, into: &scratch, smallerThan: payload.count - payload.count / 16)
            }
        }
        let stored = isCompressed ? scratch : payload
        let start = output.count
        output.appendLittleEndian(UInt32(0))
        output.appendLittleEndian(UInt32(stored.count))
        output.appendLittleEndian(lsn)
        output.append(type.rawValue)
        output.append(isCompressed ? LogFormat.compressedFlag : 0)
        output.appendLittleEndian(UInt16(0))
        output.appendLittleEndian(UInt32(payload.count))
        output.append(contentsOf: stored)
        output.overwriteLittleEndian(CRC32C.checksum(output.bytes[(start + 4)...]), at: start)
    }
}

/// The head of a frame as it stands in a file: nothing in it is true until the checksum is.
struct LogFrameHeader {
    private let bytes: [UInt8]

    /// - Precondition: they are `LogFormat.frameHeaderBytes`.
    init(_ bytes: [UInt8]) {
        precondition(bytes.count == LogFormat.frameHeaderBytes, "\(bytes.count) bytes of a frame's header")
        self.bytes = bytes
    }

    /// Of the payload as stored.
    var storedCount: Int { Int(field(4)) }
    var lsn: LSN { UInt64(field(8)) | UInt64(field(12)) << 32 }
    private var payloadCount: Int { Int(field(20)) }

    var isWithinBounds: Bool {
        payloadCount <= LogFormat.payloadBytesMax && storedCount <= LogFormat.payloadBytesMax
    }

    /// - Throws: what is wrong with the frame, in words.
    func frame(_ stored: [UInt8], offset: Int) throws(Malformed) -> LogFrame {
        guard CRC32C.checksum(stored, extending: CRC32C.checksum(bytes[4...])) == field(0) else {
            throw Malformed(reason: "frame checksum")
        }
        guard let type = LogFormat.RecordType(rawValue: bytes[16]) else {
            throw Malformed(reason: "record type \(bytes[16])")
        }
        return LogFrame(
            lsn: lsn, type: type, payload: try payload(of: stored), offset: offset,
            byteCount: LogFormat.frameHeaderBytes + stored.count)
    }

    struct Malformed: Error {
        let reason: String
    }

    private func payload(of stored: [UInt8]) throws(Malformed) -> [UInt8] {
        switch bytes[17] {
        case 0:
            guard stored.count == payloadCount else { throw Malformed(reason: "payload length") }
            return stored
        case LogFormat.compressedFlag:
            do throws(LZ4.Malformed) {
                return try LZ4.decompress(stored, size: payloadCount)
            } catch {
                throw Malformed(reason: "compressed payload")
            }
        default: throw Malformed(reason: "frame flags \(bytes[17])")
        }
    }

    /// - Precondition: the field lies within the frame header.
    private func field(_ offset: Int) -> UInt32 {
        UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
            | UInt32(bytes[offset + 3]) << 24
    }
}

/// The head of a segment or a checkpoint.
struct LogFileHeader: Equatable {
    var kind: LogFormat.FileKind
    /// Of a segment its number, of a checkpoint its LSN.
    var number: UInt64
    /// Of a segment the LSN of its first record, of a checkpoint the number of the segment that goes on from it.
    var origin: UInt64

    var bytes: [UInt8] {
        var builder = ByteBuilder(capacity: LogFormat.fileHeaderBytes)
        builder.append(contentsOf: LogFormat.magic)
        builder.appendLittleEndian(LogFormat.version)
        builder.appendLittleEndian(kind.rawValue)
        builder.appendLittleEndian(number)
        builder.appendLittleEndian(origin)
        builder.appendLittleEndian(CRC32C.checksum(builder.bytes))
        builder.appendLittleEndian(UInt32(0))
        return builder.bytes
    }

    init(kind: LogFormat.FileKind, number: UInt64, origin: UInt64) {
        self.kind = kind
        self.number = number
        self.origin = origin
    }

    /// - Parameter bytes: the first `LogFormat.fileHeaderBytes` of the file.
    init(_ bytes: [UInt8], file: String) throws(StorageError) {
        func damaged(_ reason: String) -> StorageError { .corruption(file: file, offset: 0, reason: reason) }
        guard let fields = Fields(bytes), fields.magic == LogFormat.magic else { throw damaged("not a log file") }
        guard fields.checksum == CRC32C.checksum(bytes[..<32]) else { throw damaged("header checksum") }
        guard fields.version == LogFormat.version else { throw damaged("log version \(fields.version)") }
        guard let kind = LogFormat.FileKind(rawValue: fields.kind) else { throw damaged("kind of log file") }
        guard fields.number < LogFormat.numberLimit, fields.origin < LogFormat.numberLimit else {
            throw damaged("header numbers \(fields.number), \(fields.origin)")
        }
        self.init(kind: kind, number: fields.number, origin: fields.origin)
    }

    /// What stands where a file's header is; less than it takes where the file ends early.
    static func bytes(_ fileSystem: any FileSystem, _ path: String) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: LogFormat.fileHeaderBytes)
        let result = bytes.withUnsafeMutableBytes { target -> Result<Int, FileError> in
            do throws(FileError) {
                return .success(try fileSystem.copy(path, from: 0, into: target))
            } catch {
                return .failure(error)
            }
        }
        return Array(bytes.prefix(try result.get()))
    }

    /// As they stand in the file, unchecked.
    private struct Fields {
        var magic: [UInt8]
        var version: UInt32
        var kind: UInt32
        var number: UInt64
        var origin: UInt64
        var checksum: UInt32

        init?(_ bytes: [UInt8]) {
            let fields = try? ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) -> Fields in
                try Fields(&cursor)
            }
            guard let fields else { return nil }
            self = fields
        }

        private init(_ cursor: inout ByteCursor) throws(ByteError) {
            magic = Array(try cursor.bytes(LogFormat.magic.count))
            version = try cursor.littleEndian(UInt32.self)
            kind = try cursor.littleEndian(UInt32.self)
            number = try cursor.littleEndian(UInt64.self)
            origin = try cursor.littleEndian(UInt64.self)
            checksum = try cursor.littleEndian(UInt32.self)
        }
    }
}
