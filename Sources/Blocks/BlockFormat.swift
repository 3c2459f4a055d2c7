import ByteCoding
import StorageAPI

/// Constants of the block's files: see `docs/formats/block.md`.
enum BlockFormat {
    static let dataMagic: [UInt8] = Array("HEARTHDT".utf8)
    static let indexMagic: [UInt8] = Array("HEARTHIX".utf8)
    static let footerMagic: [UInt8] = Array("HEARTHBF".utf8)
    static let version: UInt32 = 2
    /// Magic, version, the block's identifier, checksum: the head of data and index.
    static let fileHeaderBytes = 32

    static let dataName = "data"
    static let indexName = "index"
    static let footerName = "footer"
    /// A block that is being written is called so, behind its identifier.
    static let temporarySuffix = ".tmp"

    static let footerBytesMax = 1 << 20
    static let checksumBytes = 4

    /// The most samples of a page.
    static let samplesPerPage = 1024
    /// Pages of one series that share a checksum.
    static let pagesPerGroup = 4
    /// The most that a page may take.
    static let pageBytesMax = 1 << 20
    /// The most pages from one that is decoded by another one's values to the one that needs none.
    static let baseDepthMax = 8

    // Items of an index block.
    static let symbolsPerBlock = 64
    static let pairsPerBlock = 64
    static let namesPerBlock = 256
    static let layoutsPerBlock = 32
    static let seriesPerBlock = 128
    /// Rows of a block of the directory.
    static let directoryRows = 512
    static let directoryRowBytes = 8
    /// The longest list that stands in its pair's row. Bytes.
    static let inlinePostingsMax = 128

    static func fileHeader(_ magic: [UInt8], _ identifier: BlockIdentifier) -> [UInt8] {
        var builder = ByteBuilder(capacity: fileHeaderBytes)
        builder.append(contentsOf: magic)
        builder.appendLittleEndian(version)
        builder.appendBigEndian(identifier.high)
        builder.appendBigEndian(identifier.low)
        builder.appendLittleEndian(CRC32C.checksum(builder.bytes))
        return builder.bytes
    }

    /// - Throws: `StorageError.corruption` unless the bytes are the head of that file of that block.
    static func checkFileHeader(
        _ bytes: [UInt8], _ magic: [UInt8], _ identifier: BlockIdentifier, file: String
    ) throws(StorageError) {
        guard bytes == fileHeader(magic, identifier) else {
            throw .corruption(file: file, offset: 0, reason: "not a file of block \(identifier), version \(version)")
        }
    }
}
