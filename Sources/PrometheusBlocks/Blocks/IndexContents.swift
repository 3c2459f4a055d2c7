import ByteCoding
import StorageAPI

/// The table of contents at the end of an index: where its sections begin. 0 stands for a section that is not there.
struct IndexContents: Sendable, Hashable {
    var symbols = 0
    var series = 0
    var labelIndices = 0
    var labelIndexTable = 0
    var postings = 0
    var postingsTable = 0

    init() {}

    /// Reads header and contents of an index.
    /// - Returns: also the version of the format, 1 or 2.
    static func read(_ file: CheckedFile) throws(StorageError) -> (contents: IndexContents, version: UInt8) {
        guard file.size >= PrometheusFormat.indexHeaderBytes + PrometheusFormat.contentsBytes else {
            throw file.damaged(at: file.size, "too short for an index")
        }
        guard try file.bigEndian(UInt32.self, at: 0) == PrometheusFormat.indexMagic else {
            throw file.damaged(at: 0, "not an index")
        }
        let version = try file.bigEndian(UInt8.self, at: 4)
        guard version == 1 || version == 2 else { throw file.damaged(at: 4, "index of version \(version)") }
        let base = file.size - PrometheusFormat.contentsBytes
        let bytes = try file.bytes(at: base, count: PrometheusFormat.contentsBytes)
        let end = bytes.count - PrometheusFormat.checksumBytes
        let (contents, checksum) = try file.fields(bytes, at: base, "table of contents") {
            (cursor: inout ByteCursor) throws(ByteError) in
            var contents = IndexContents()
            let fields: [WritableKeyPath<IndexContents, Int>] = [
                \.symbols, \.series, \.labelIndices, \.labelIndexTable, \.postings, \.postingsTable,
            ]
            for field in fields {
                let place = cursor.position
                guard let offset = Int(exactly: try cursor.bigEndian(UInt64.self)), offset <= base else {
                    throw .outOfBounds(offset: place, what: "section")
                }
                contents[keyPath: field] = offset
            }
            return (contents, try cursor.bigEndian(UInt32.self))
        }
        guard CRC32C.checksum(bytes[..<end]) == checksum else {
            throw file.damaged(at: base, "table of contents: checksum")
        }
        return (contents, version)
    }

    /// With their checksum.
    var encoded: [UInt8] {
        var builder = ByteBuilder()
        for offset in [symbols, series, labelIndices, labelIndexTable, postings, postingsTable] {
            builder.appendBigEndian(UInt64(offset))
        }
        builder.appendBigEndian(CRC32C.checksum(builder.bytes))
        return builder.bytes
    }
}
