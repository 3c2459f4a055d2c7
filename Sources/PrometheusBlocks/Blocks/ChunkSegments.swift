import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// The files that hold a block's chunks: `000001`, `000002`… in the folder `chunks`.
struct ChunkSegments: Sendable {
    private let directory: String
    private let files: [CheckedFile]

    /// - Parameter directory: of the block.
    init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        let folder = FilePath.join(directory, PrometheusFormat.chunksName)
        self.directory = folder
        // Upstream numbers what is there, in order, whatever the names say.
        let names = try StorageError.wrapping { () throws(FileError) in try fileSystem.list(folder) }
        var files: [CheckedFile] = []
        for name in names where !name.isEmpty && name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            let path = FilePath.join(folder, name)
            let file = CheckedFile(try StorageError.wrapping { () throws(FileError) in try fileSystem.map(path) })
            guard file.size >= PrometheusFormat.chunksHeaderBytes,
                try file.bigEndian(UInt32.self, at: 0) == PrometheusFormat.chunksMagic
            else { throw file.damaged(at: 0, "not a file of chunks") }
            let version = try file.bigEndian(UInt8.self, at: 4)
            guard version == PrometheusFormat.chunksVersion else {
                throw file.damaged(at: 4, "chunks of version \(version)")
            }
            files.append(file)
        }
        self.files = files
    }

    /// Bytes.
    var size: Int { files.reduce(0) { $0 + $1.size } }

    /// A chunk whose checksum is right.
    func chunk(_ reference: PrometheusChunkReference) throws(StorageError) -> PrometheusChunk {
        guard Int(reference.segment) < files.count else {
            throw .corruption(
                file: directory, offset: 0, reason: "chunk in segment \(reference.segment) of \(files.count)")
        }
        let file = files[Int(reference.segment)]
        let place = Int(reference.offset)
        // Most chunks are shorter than this.
        let head = try file.bytes(at: place, atMost: 1024)
        let (length, start) = try file.fields(head, at: place, "chunk") {
            (cursor: inout ByteCursor) throws(ByteError) in
            (try cursor.varint(atMost: PrometheusFormat.chunkBytesMax, "chunk length"), cursor.position)
        }
        let end = start + 1 + length
        let whole = end + PrometheusFormat.checksumBytes
        let record = whole <= head.count ? head : try file.bytes(at: place, count: whole)
        let checksum = record[end..<whole].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard CRC32C.checksum(record[start..<end]) == checksum else { throw file.damaged(at: place, "chunk: checksum") }
        guard let encoding = PrometheusEncoding(rawValue: record[start]) else {
            throw file.damaged(at: place, "chunk of encoding \(record[start]), which is not known here")
        }
        return PrometheusChunk(
            encoding: encoding, range: reference.range, bytes: Array(record[(start + 1)..<end]))
    }

    func damaged(_ reference: PrometheusChunkReference, _ reason: String) -> StorageError {
        let segment = Int(reference.segment)
        return .corruption(
            file: segment < files.count ? files[segment].path : directory, offset: Int(reference.offset),
            reason: reason)
    }
}
