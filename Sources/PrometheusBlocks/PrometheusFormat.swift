/// Constants of Prometheus' files: see `docs/formats/prometheus-blocks.md`. All fixed-width numbers are big-endian.
enum PrometheusFormat {
    static let checksumBytes = 4

    // Names in a data directory.
    static let metaName = "meta.json"
    static let indexName = "index"
    static let chunksName = "chunks"
    static let tombstonesName = "tombstones"
    static let logName = "wal"
    static let lateLogName = "wbl"
    static let checkpointPrefix = "checkpoint."
    static let creationSuffix = ".tmp-for-creation"
    static let metaBytesMax = 16 << 20
    static let tombstonesBytesMax = 256 << 20

    // Index.
    static let indexMagic: UInt32 = 0xBAAA_D700
    static let indexHeaderBytes = 5
    /// Six offsets and their checksum, at the end of the file.
    static let contentsBytes = 6 * 8 + checksumBytes
    /// What a series entry is aligned to from version 2 on; its reference is the place in these units.
    static let seriesAlignment = 16
    /// A series entry of a year in 2-hour chunks is below a tenth of it.
    static let seriesBytesMax = 64 << 20

    // Chunks.
    static let chunksMagic: UInt32 = 0x85BD_40DD
    static let chunksVersion: UInt8 = 1
    static let chunksHeaderBytes = 8
    static let segmentBytesMax = 512 << 20
    /// The most that the record of a chunk may take.
    static let chunkBytesMax = 16 << 20
    /// The length of a chunk is a varint of a 32-bit number.
    static let chunkLengthBytesMax = 5

    // Tombstones.
    static let tombstonesMagic: UInt32 = 0x0130_BA30
    static let tombstonesVersion: UInt8 = 1

    // Log.
    static let pageBytes = 32 << 10
    static let fragmentHeaderBytes = 7
    /// Of a record, whole and decompressed: what upstream's segments can hold.
    static let recordBytesMax = 256 << 20
}
