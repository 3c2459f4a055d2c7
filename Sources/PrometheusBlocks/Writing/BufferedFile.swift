import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// A new file that is written in large pieces.
struct BufferedFile {
    private static let pieceBytes = 1 << 20

    private let file: any AppendableFile
    private var waiting: [UInt8] = []
    /// Bytes written, what waits included.
    private(set) var position = 0

    init(fileSystem: any FileSystem, path: String) throws(StorageError) {
        file = try StorageError.wrapping { () throws(FileError) in try fileSystem.create(path) }
    }

    mutating func write(_ bytes: some Collection<UInt8>) throws(StorageError) {
        waiting.append(contentsOf: bytes)
        position += bytes.count
        if waiting.count >= BufferedFile.pieceBytes { try flush() }
    }

    mutating func write<T: FixedWidthInteger>(bigEndian value: T) throws(StorageError) {
        var builder = ByteBuilder()
        builder.appendBigEndian(value)
        try write(builder.bytes)
    }

    /// Zeros up to a multiple of so many bytes.
    mutating func align(to unit: Int) throws(StorageError) {
        let rest = position % unit
        if rest > 0 { try write([UInt8](repeating: 0, count: unit - rest)) }
    }

    /// Writes a section: its length in four bytes, the content, the checksum of the content.
    mutating func write(section content: [UInt8], _ what: String) throws(StorageError) {
        guard let length = UInt32(exactly: content.count) else {
            throw .invalid(reason: "\(file.path): \(what) of \(content.count) bytes does not fit into a section")
        }
        try write(bigEndian: length)
        try write(content)
        try write(bigEndian: CRC32C.checksum(content))
    }

    mutating func flush() throws(StorageError) {
        let (file, bytes) = (file, waiting)
        try StorageError.wrapping { () throws(FileError) in try file.append(bytes) }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Writes what waits, and makes all durable.
    mutating func finish() throws(StorageError) {
        try flush()
        let file = file
        try StorageError.wrapping { () throws(FileError) in try file.sync() }
    }
}
