import ByteCoding
import SeriesModel

/// The timestamps of one page of a series.
struct PageTimes: Sendable {
    /// Of the first and the last sample. ms
    var range: TimeRange
    /// Samples.
    var count: Int
    /// Between two samples of a regular column. ms
    var step: Int64
    /// Of the column in the data file, without its checksum; 0 where the column is regular. Bytes.
    var columnLength: Int
    var columnOffset: Int

    var isRegular: Bool { columnLength == 0 }
}

/// 32 layouts.
final class LayoutBlock: Sendable {
    private let pages: [PageTimes]
    private let ends: [Int]

    /// - Parameter start: of the block. ms
    init(_ cursor: inout ByteCursor, _ count: Int, start: Timestamp) throws(ByteError) {
        var pages: [PageTimes] = []
        var ends: [Int] = []
        for _ in 0..<count {
            let pageCount = try cursor.varint(atMost: cursor.remaining / 2, "pages of a layout")
            guard pageCount > 0 else { throw .outOfBounds(offset: cursor.position, what: "pages of a layout") }
            var previous = start
            var columnEnd: Int64 = 0
            for number in 0..<pageCount {
                let page = try LayoutBlock.page(&cursor, previous, &columnEnd)
                guard page.range.min > previous || number == 0 && page.range.min == previous else {
                    throw .outOfBounds(offset: cursor.position, what: "times of a page")
                }
                previous = page.range.max
                pages.append(page)
            }
            ends.append(pages.count)
        }
        self.pages = pages
        self.ends = ends
    }

    subscript(index: Int) -> ArraySlice<PageTimes> { pages[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    var count: Int { ends.count }

    private static func page(
        _ cursor: inout ByteCursor, _ previous: Timestamp, _ columnEnd: inout Int64
    ) throws(ByteError) -> PageTimes {
        let place = cursor.position
        let tag = try cursor.varint(atMost: BlockFormat.samplesPerPage * 2 + 1, "samples of a page")
        let count = tag >> 1
        let first = previous &+ (try cursor.zigzag())
        var page = PageTimes(
            range: TimeRange(min: first, max: first), count: count, step: 0, columnLength: 0, columnOffset: 0)
        var isValid = count > 0
        if tag & 1 == 0 {
            if count > 1 {
                page.step = Int64(clamping: try cursor.varint())
                let length = page.step.magnitude.multipliedReportingOverflow(by: UInt64(count - 1))
                page.range.max = first &+ Int64(bitPattern: length.partialValue)
                isValid =
                    isValid && page.step > 0 && !length.overflow
                    && length.partialValue <= UInt64(bitPattern: .max &- first)
            }
        } else {
            page.range.max = first &+ Int64(bitPattern: try cursor.varint())
            let offset = columnEnd.addingReportingOverflow(try cursor.zigzag())
            page.columnLength = try cursor.varint(atMost: BlockFormat.pageBytesMax, "length of a column")
            isValid =
                isValid && page.range.max >= page.range.min && !offset.overflow && offset.partialValue >= 0
                && offset.partialValue < 1 << 62 && page.columnLength > 0
            page.columnOffset = Int(offset.partialValue)
            columnEnd = offset.partialValue &+ Int64(page.columnLength)
        }
        guard isValid else { throw .outOfBounds(offset: place, what: "times of a page") }
        return page
    }
}
