import ByteCoding
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
