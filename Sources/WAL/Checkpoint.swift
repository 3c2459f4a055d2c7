import ByteCoding
package import FileIO
package import StorageAPI
package import StorageFiles

/// Checkpoint files: the same frames as a segment, holding all series and samples that are needed as of one LSN, ended by
/// a frame that counts them. A file without its end is no checkpoint.
enum Checkpoint {
    /// Reads the whole file.
    /// - Throws: `StorageError.corruption` unless every frame is good and the end says so many.
    static func verify(fileSystem: any FileSystem, path: String, lsn: LSN) throws(StorageError) {
        var reader = try LogReader(fileSystem: fileSystem, path: path, kind: .checkpoint)
        guard reader.header.number == lsn else { throw reader.damaged("header of checkpoint \(reader.header.number)") }
        var decoder = BatchDecoder()
        var batch = LogBatch()
        var counts = CheckpointCounts()
        while let frame = try reader.next() {
            do throws(ByteError) {
                if frame.type == .checkpointEnd {
                    guard try CheckpointCounts(frame.payload) == counts else { break }
                    guard reader.offset == reader.size else { throw ByteError.truncated(offset: 0) }
                    return
                }
                batch.removeAll()
                if frame.type.isBatch { try decoder.decode(frame.payload, frame.type, into: &batch) }
            } catch {
                throw .corruption(file: path, offset: frame.offset, reason: "payload: \(error)")
            }
            counts.add(batch)
        }
        throw reader.damaged("checkpoint without its end")
    }
}

/// The payload of the end frame.
struct CheckpointCounts: Equatable {
    var records: UInt64 = 0
    var series: UInt64 = 0
    var samples: UInt64 = 0

    init() {}

    init(_ payload: [UInt8]) throws(ByteError) {
        self = try ByteCursor.read(payload) { (cursor: inout ByteCursor) throws(ByteError) in
            var counts = CheckpointCounts()
            counts.records = try cursor.varint()
            counts.series = try cursor.varint()
            counts.samples = try cursor.varint()
            return counts
        }
    }

    var payload: [UInt8] {
        var builder = ByteBuilder()
        builder.appendVarint(records)
        builder.appendVarint(series)
        builder.appendVarint(samples)
        return builder.bytes
    }

    mutating func add(_ batch: LogBatch) {
        records += 1
        series += UInt64(batch.newSeries.count)
        samples += UInt64(batch.count)
    }
}

/// Writes a checkpoint aside and puts it into place when it is whole.
///
/// The order of `finish` is the promise: end frame, sync, rename, directory sync, read back; only then are older
/// checkpoints removed, and only after that may the caller remove segments before `firstSegment`.
package struct CheckpointWriter: ~Copyable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let lsn: LSN
    private let path: String
    private let file: any AppendableFile
    private var encoder = BatchEncoder()
    private var counts = CheckpointCounts()
    private var payload = ByteBuilder()
    private var frame = ByteBuilder()
    private var scratch: [UInt8] = []

    /// - Parameters:
    ///   - lsn: the newest record that the checkpoint covers.
    ///   - firstSegment: the segment that begins after that record.
    package init(
        fileSystem: any FileSystem, directory: String, lsn: LSN, firstSegment: UInt64
    ) throws(StorageError) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.lsn = lsn
        let path = FilePath.join(directory, LogFormat.checkpointName(lsn))
        self.path = path
        let header = LogFileHeader(kind: .checkpoint, number: lsn, origin: firstSegment)
        file = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.createDirectory(directory)
            let aside = path + LogFormat.temporarySuffix
            if fileSystem.exists(aside) { try fileSystem.remove(aside) }
            let file = try fileSystem.create(aside)
            try file.append(header.bytes)
            return file
        }
    }

    /// Adds series and samples. A series comes in the same batch as its first samples, or before. Batches of some 10,000
    /// samples keep the buffers small.
    package mutating func add(_ batch: LogBatch) throws(StorageError) {
        payload.removeAll()
        encoder.encode(batch, into: &payload)
        counts.add(batch)
        try write(LogFormat.RecordType(of: batch))
    }

    /// Adds a record that is no batch.
    package mutating func add(_ type: LogFormat.RecordType, _ bytes: [UInt8]) throws(StorageError) {
        precondition(type == .headState || type == .seriesStates, "\(type) does not belong into a checkpoint so")
        payload.removeAll()
        payload.append(contentsOf: bytes)
        counts.records += 1
        try write(type)
    }

    /// - Parameter removesOlder: whether older checkpoints go at once; a log that has consumers decides that itself, see
    ///   `LogWriter.replaced`.
    /// - Returns: the size of the checkpoint. Bytes.
    package consuming func finish(removesOlder: Bool = true) throws(StorageError) -> Int {
        payload.removeAll()
        payload.append(contentsOf: counts.payload)
        try write(.checkpointEnd)
        let size = file.size
        try StorageError.wrapping { () throws(FileError) in
            try file.sync()
            try fileSystem.rename(path + LogFormat.temporarySuffix, to: path)
            try fileSystem.syncDirectory(directory)
        }
        try Checkpoint.verify(fileSystem: fileSystem, path: path, lsn: lsn)
        if !removesOlder { return size }
        try StorageError.wrapping { () throws(FileError) in
            for name in try fileSystem.list(directory) {
                guard let older = LogFormat.checkpointLSN(name), older < lsn else { continue }
                try fileSystem.remove(FilePath.join(directory, name))
            }
        }
        return size
    }

    /// After an error: takes away what was written, where it is not in its place yet.
    package static func removeUnfinished(fileSystem: any FileSystem, directory: String, lsn: LSN) {
        let path = FilePath.join(directory, LogFormat.checkpointName(lsn)) + LogFormat.temporarySuffix
        // A start removes it as well.
        if fileSystem.exists(path) { try? fileSystem.remove(path) }
    }

    private mutating func write(_ type: LogFormat.RecordType) throws(StorageError) {
        guard payload.count <= LogFormat.payloadBytesMax else {
            throw .invalid(reason: "a record of \(payload.count) bytes is beyond the log's limit")
        }
        frame.removeAll()
        LogFrame.append(type, lsn: lsn, payload: payload.bytes, scratch: &scratch, to: &frame)
        let bytes = frame.bytes
        let file = file
        try StorageError.wrapping { () throws(FileError) in try file.append(bytes) }
    }
}
