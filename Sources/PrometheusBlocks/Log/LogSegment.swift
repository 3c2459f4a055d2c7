import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// Cuts a segment of Prometheus' log into records: pages of 32 KiB, fragments with a header of seven bytes (kind and
/// compression, length, CRC-32C) that do not cross pages, records that do not cross segments.
struct LogSegment {
    /// The low bits of a fragment's first byte.
    private enum Kind: UInt8 {
        /// The rest of the page is empty.
        case none = 0
        case full = 1
        case first = 2
        case middle = 3
        case last = 4
    }

    private static let kindMask: UInt8 = 0x07
    private static let snappyFlag: UInt8 = 0x08
    private static let zstdFlag: UInt8 = 0x10

    private let file: CheckedFile
    private var page: [UInt8] = []
    private var pageStart = 0
    /// Within the page.
    private var position = 0

    init(_ file: MappedFile) { self.file = CheckedFile(file) }

    /// The next record, decompressed; nil at the end.
    /// - Throws: `StorageError.corruption` where the rest of the segment cannot be read, a torn end included.
    mutating func next() throws(StorageError) -> [UInt8]? {
        var record: [UInt8] = []
        var start: (place: Int, flags: UInt8)?
        while true {
            guard let fragment = try nextFragment() else {
                guard let start else { return nil }
                throw file.damaged(at: start.place, "a record without its end")
            }
            let flags = fragment.flags & ~LogSegment.kindMask
            let kind = Kind(rawValue: fragment.flags & LogSegment.kindMask)
            let isBeginning = kind == .full || kind == .first
            guard kind != nil, isBeginning == (start == nil), start.map({ $0.flags == flags }) ?? true else {
                throw file.damaged(at: fragment.place, "fragment of kind \(fragment.flags) out of place")
            }
            if start == nil { start = (fragment.place, flags) }
            record.append(contentsOf: page[fragment.content])
            guard record.count <= PrometheusFormat.recordBytesMax else {
                throw file.damaged(at: fragment.place, "record of more than \(PrometheusFormat.recordBytesMax) bytes")
            }
            if kind == .full || kind == .last {
                return try decompress(record, flags, at: start?.place ?? fragment.place)
            }
        }
    }

    /// Whether it begins as segments do, whatever the compression.
    mutating func beginsSoundly() -> Bool { ((try? nextFragment()) ?? nil) != nil }

    private struct Fragment {
        /// In the file.
        var place: Int
        var flags: UInt8
        /// In the page.
        var content: Range<Int>
    }

    /// The next fragment whose checksum is right; nil at the end of the file.
    private mutating func nextFragment() throws(StorageError) -> Fragment? {
        while true {
            if position >= page.count {
                let next = pageStart + page.count
                guard next < file.size else { return nil }
                page = try file.bytes(at: next, atMost: PrometheusFormat.pageBytes)
                pageStart = next
                position = 0
            }
            let place = pageStart + position
            let flags = page[position]
            if flags & LogSegment.kindMask == Kind.none.rawValue {
                guard page[position...].allSatisfy({ $0 == 0 }) else {
                    throw file.damaged(at: place, "bytes in what should be the empty end of a page")
                }
                position = page.count
                continue
            }
            let start = position + PrometheusFormat.fragmentHeaderBytes
            guard start <= page.count else { throw file.damaged(at: place, "fragment without its header") }
            let length = Int(page[position + 1]) << 8 | Int(page[position + 2])
            let checksum = page[(position + 3)..<start].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard length <= page.count - start else { throw file.damaged(at: place, "fragment without its end") }
            guard CRC32C.checksum(page[start..<start + length]) == checksum else {
                throw file.damaged(at: place, "fragment: checksum")
            }
            position = start + length
            return Fragment(place: place, flags: flags, content: start..<start + length)
        }
    }

    private func decompress(_ record: [UInt8], _ flags: UInt8, at place: Int) throws(StorageError) -> [UInt8] {
        switch flags {
        case 0: return record
        case LogSegment.snappyFlag:
            // An empty record is not compressed.
            if record.isEmpty { return record }
            do throws(Snappy.DecodeError) {
                return try Snappy.decompress(record, sizeMax: PrometheusFormat.recordBytesMax)
            } catch {
                throw file.damaged(at: place, "record: snappy: \(error)")
            }
        case LogSegment.zstdFlag:
            throw .invalid(
                reason: "\(file.path): records are compressed with zstd, which cannot be read here: start Prometheus "
                    + "once with --storage.tsdb.wal-compression-type=snappy and let it write a block, then stop it")
        default: throw file.damaged(at: place, "record with flags \(flags)")
        }
    }
}
