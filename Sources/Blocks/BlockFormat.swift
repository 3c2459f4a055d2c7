/// Constants of the block's files: see `docs/formats/block.md`.
enum BlockFormat {
    static let dataMagic: [UInt8] = Array("HEARTHDT".utf8)
    static let indexMagic: [UInt8] = Array("HEARTHIX".utf8)
    static let footerMagic: [UInt8] = Array("HEARTHBF".utf8)
    static let version: UInt32 = 1
    /// Magic, version, four bytes of zeros: the head of each file.
    static let fileHeaderBytes = 16

    static let dataName = "data"
    static let indexName = "index"
    static let footerName = "footer"
    /// A block that is being written is called so, behind its identifier.
    static let temporarySuffix = ".tmp"

    /// A page of the index: its content and the content's CRC-32C.
    static let pageBytes = 4096
    static let pageContentBytes = pageBytes - 4

    /// The most a chunk's record may take. A reader allocates no more.
    static let chunkBytesMax = 1 << 20
    static let footerBytesMax = 1 << 20
    static let checksumBytes = 4

    // Sizes of the rows of the index's tables.
    static let symbolRowBytes = 4
    static let seriesRowBytes = 8
    static let pairRowBytes = 24
    static let nameRowBytes = 8
}
