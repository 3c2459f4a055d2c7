import ByteCoding
import FileIO
import StorageAPI

/// Writes chunks behind each other, into as many files as their size asks for.
struct ChunkSegmentWriter {
    private let fileSystem: any FileSystem
    private let folder: String
    private let segmentBytesMax: Int
    private var file: BufferedFile
    /// Of the current file, from 0.
    private var segment: UInt32 = 0

    init(fileSystem: any FileSystem, folder: String, segmentBytesMax: Int) throws(StorageError) {
        self.fileSystem = fileSystem
        self.folder = folder
        self.segmentBytesMax = min(segmentBytesMax, PrometheusFormat.segmentBytesMax)
        file = try ChunkSegmentWriter.open(0, fileSystem, folder)
    }

    private static func open(
        _ segment: UInt32, _ fileSystem: any FileSystem, _ folder: String
    ) throws(StorageError) -> BufferedFile {
        let digits = String(segment + 1)
        let name = String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
        var file = try BufferedFile(fileSystem: fileSystem, path: FilePath.join(folder, name))
        try file.write(bigEndian: PrometheusFormat.chunksMagic)
        try file.write([PrometheusFormat.chunksVersion, 0, 0, 0])
        return file
    }

    mutating func add(_ chunk: PrometheusChunk) throws(StorageError) -> PrometheusChunkReference {
        var record = ByteBuilder(capacity: chunk.bytes.count + 10)
        record.appendVarint(chunk.bytes.count)
        let start = record.count
        record.append(chunk.encoding.rawValue)
        record.append(contentsOf: chunk.bytes)
        record.appendBigEndian(CRC32C.checksum(record.bytes[start...]))
        if file.position + record.count > segmentBytesMax, file.position > PrometheusFormat.chunksHeaderBytes {
            try file.finish()
            segment += 1
            file = try ChunkSegmentWriter.open(segment, fileSystem, folder)
        }
        let offset = UInt32(clamping: file.position)
        try file.write(record.bytes)
        return PrometheusChunkReference(range: chunk.range, segment: segment, offset: offset)
    }

    mutating func finish() throws(StorageError) { try file.finish() }
}
