import ByteCoding
import StorageAPI
import StorageFiles

/// Up to 32 pages of one series that lie one behind the other in the data file, in whole groups.
struct PageRun {
    static let pagesMax = 32

    /// Of the series among its kind.
    var pages: Range<Int>
    /// In the data file.
    var offset = 0
    /// With the checksums of the groups.
    var length = 0
    /// Where each page begins and ends, from `offset` on.
    private var starts = InlineArray<32, Int32>(repeating: 0)
    private var ends = InlineArray<32, Int32>(repeating: 0)

    init() { pages = 0..<0 }

    /// Reads the lengths of all pages of the kind.
    /// - Parameters:
    ///   - cursor: over the lengths, and behind them afterwards.
    ///   - count: of the series' pages.
    ///   - wanted: the first of them is among the pages of the run, and as many more as it takes.
    ///   - start: of the first page in the data file. Behind the last one afterwards.
    init(
        _ cursor: inout ByteCursor, count: Int, wanted: Range<Int>, start: inout Int
    ) throws(ByteError) {
        let group = BlockFormat.pagesPerGroup
        let first = wanted.lowerBound / group * group
        let end = min(count, (wanted.upperBound + group - 1) / group * group, first + PageRun.pagesMax)
        pages = first..<end
        offset = start
        var position = start
        for page in 0..<count {
            if page == first { offset = position }
            let length = try cursor.varint(atMost: BlockFormat.pageBytesMax, "length of a page")
            if page >= first, page < end {
                starts[page - first] = Int32(truncatingIfNeeded: position - offset)
                ends[page - first] = Int32(truncatingIfNeeded: position - offset + length)
            }
            position += length
            if page % group == group - 1 || page == count - 1 { position += BlockFormat.checksumBytes }
            if page == end - 1 { self.length = position - offset }
        }
        start = position
    }

    /// The bytes of a page in those of the run.
    func range(_ page: Int) -> Range<Int> {
        Int(starts[page - pages.lowerBound])..<Int(ends[page - pages.lowerBound])
    }

    /// Whether each group has the checksum that stands behind it.
    func hasValidChecksums(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var page = pages.lowerBound
        while page < pages.upperBound {
            let last = min(page + BlockFormat.pagesPerGroup, pages.upperBound) - 1
            let content = UnsafeRawBufferPointer(rebasing: bytes[range(page).lowerBound..<range(last).upperBound])
            let checksum = UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: range(last).upperBound, as: UInt32.self))
            guard CRC32C.checksum(content) == checksum else { return false }
            page = last + 1
        }
        return true
    }
}
