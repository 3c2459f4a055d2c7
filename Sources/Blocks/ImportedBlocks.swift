import ByteCoding
package import FileIO
package import StorageAPI
import StorageFiles

/// The names of the blocks of Prometheus' that were taken into a data directory, and of those made of its log, in the
/// file `imported-blocks`; a log that was taken in whole has a name too. None is taken in twice, and where Prometheus' own files lie in the same directory they are served no more, also after our
/// copy was merged or deleted. Who removes the file can import again.
///
/// A text: `hearth-imported-blocks 1`, one name a line, and `crc32c` with the checksum of all that stands before.
package struct ImportedBlocks: Sendable, Hashable {
    package static let fileName = "imported-blocks"

    private static let head = "hearth-imported-blocks 1\n"
    private static let checksumMark = "crc32c "
    private static let bytesMax = 64 << 20

    package private(set) var identifiers: Set<BlockIdentifier> = []

    package init() {}

    package func contains(_ identifier: BlockIdentifier) -> Bool { identifiers.contains(identifier) }

    package mutating func insert(_ identifier: BlockIdentifier) { identifiers.insert(identifier) }

    // MARK: - File

    /// Those of a data directory; none where there is no file.
    /// - Throws: `StorageError.corruption` where it is not as it was written.
    package init(fileSystem: any FileSystem, dataDirectory: String) throws(StorageError) {
        let path = FilePath.join(dataDirectory, ImportedBlocks.fileName)
        guard fileSystem.exists(path) else { return }
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(path, limit: ImportedBlocks.bytesMax)
        }
        let contentCount = bytes.count - ImportedBlocks.checksumMark.utf8.count - 9
        guard bytes.starts(with: ImportedBlocks.head.utf8), contentCount >= ImportedBlocks.head.utf8.count else {
            throw .corruption(file: path, offset: 0, reason: "not a list of imported blocks")
        }
        guard Array(bytes[contentCount...]) == ImportedBlocks.checksumLine(bytes[..<contentCount]) else {
            throw .corruption(file: path, offset: contentCount, reason: "checksum")
        }
        for line in bytes[ImportedBlocks.head.utf8.count..<contentCount].split(separator: UInt8(ascii: "\n")) {
            guard let identifier = BlockIdentifier(String(decoding: line, as: UTF8.self)) else {
                throw .corruption(file: path, offset: line.startIndex, reason: "not the name of a block")
            }
            identifiers.insert(identifier)
        }
    }

    /// Replaces the file of a data directory; durable when the call returns.
    package func write(fileSystem: any FileSystem, dataDirectory: String) throws(StorageError) {
        var bytes = Array(ImportedBlocks.head.utf8)
        for identifier in identifiers.sorted() { bytes += Array("\(identifier)\n".utf8) }
        bytes += ImportedBlocks.checksumLine(bytes[...])
        try StorageError.wrapping { () throws(FileError) in
            try fileSystem.replace(FilePath.join(dataDirectory, ImportedBlocks.fileName), with: bytes)
        }
    }

    private static func checksumLine(_ content: ArraySlice<UInt8>) -> [UInt8] {
        let digits = String(CRC32C.checksum(content), radix: 16)
        return Array((checksumMark + String(repeating: "0", count: 8 - digits.count) + digits + "\n").utf8)
    }
}
