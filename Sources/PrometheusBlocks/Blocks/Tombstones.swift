import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// What was deleted from a block and is still in its chunks.
struct Tombstones: Sendable {
    /// By the reference of the series; sorted, without overlap.
    private let ranges: [UInt64: [TimeRange]]

    /// No file means no tombstones.
    /// - Parameter directory: of the block.
    init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        let path = FilePath.join(directory, PrometheusFormat.tombstonesName)
        guard fileSystem.exists(path) else {
            ranges = [:]
            return
        }
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(path, limit: PrometheusFormat.tombstonesBytesMax)
        }
        do throws(ByteError) {
            ranges = try Tombstones.decode(bytes)
        } catch {
            throw .corruption(error, file: path, base: 0)
        }
    }

    /// Magic and version; the entries; their checksum, which does not cover what is before them.
    static func decode(_ bytes: [UInt8]) throws(ByteError) -> [UInt64: [TimeRange]] {
        let end = bytes.count - PrometheusFormat.checksumBytes
        guard end >= 5 else { throw .truncated(offset: bytes.count) }
        let checksum = bytes[end...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        var ranges = try ByteCursor.read(Array(bytes[..<end])) {
            (cursor: inout ByteCursor) throws(ByteError) in
            guard try cursor.bigEndian(UInt32.self) == PrometheusFormat.tombstonesMagic else {
                throw .outOfBounds(offset: 0, what: "magic number")
            }
            guard CRC32C.checksum(bytes[5..<end]) == checksum else {
                throw .outOfBounds(offset: end, what: "checksum")
            }
            let version = try cursor.byte()
            guard version == PrometheusFormat.tombstonesVersion else {
                throw .outOfBounds(offset: 4, what: "version \(version)")
            }
            var ranges: [UInt64: [TimeRange]] = [:]
            while !cursor.isAtEnd {
                let series = try cursor.varint()
                let range = TimeRange(min: try cursor.zigzag(), max: try cursor.zigzag())
                ranges[series, default: []].append(range)
            }
            return ranges
        }
        for series in ranges.keys { ranges[series]?.unite() }
        return ranges
    }

    /// - Parameter entries: by the reference of the series.
    static func encode(_ entries: [(series: UInt64, range: TimeRange)]) -> [UInt8] {
        var content = ByteBuilder()
        for (series, range) in entries {
            content.appendVarint(series)
            content.appendZigzag(range.min)
            content.appendZigzag(range.max)
        }
        var file = ByteBuilder()
        file.appendBigEndian(PrometheusFormat.tombstonesMagic)
        file.append(PrometheusFormat.tombstonesVersion)
        file.append(contentsOf: content.bytes)
        file.appendBigEndian(CRC32C.checksum(content.bytes))
        return file.bytes
    }

    var isEmpty: Bool { ranges.isEmpty }

    subscript(reference: UInt32) -> [TimeRange] { ranges[UInt64(reference)] ?? [] }
}

extension [TimeRange] {
    /// Sorts, drops empty ranges and joins those that overlap or touch.
    mutating func unite() {
        var united: [TimeRange] = []
        for range in sorted(by: { $0.min < $1.min }) where range.min <= range.max {
            if let last = united.last, range.min <= last.max.addingClamped(1) {
                united[united.count - 1].max = Swift.max(last.max, range.max)
            } else {
                united.append(range)
            }
        }
        self = united
    }
}
