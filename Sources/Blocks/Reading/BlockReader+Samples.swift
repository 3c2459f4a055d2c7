import ByteCoding
import ChunkEncoding
import ColdPages
package import SeriesModel
package import StorageAPI
import StorageFiles

/// A chunk of histograms as the index has it.
struct HistogramChunkReference {
    var encoding: ChunkEncoding
    /// Of its first and last sample. ms
    var range: TimeRange
    var sampleCount: Int
    var bytes: Int
}

extension BlockReader {
    /// Appends the series' samples within the range to the buffer, without those that were deleted.
    /// - Throws: `StorageError.corruption`; nothing has been appended then.
    package func read(
        series: UInt32, range: TimeRange = .all, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let deleted = deleted(of: series)
        if let deleted, deleted.covers(range) { return }
        let before = BufferMark(buffer)
        do throws(StorageError) {
            try readStored(series, range, into: &buffer)
        } catch {
            buffer.removeAll(since: before)
            throw error
        }
        if let deleted { buffer.removeAll(in: deleted, since: before) }
    }

    func readStored(
        _ series: UInt32, _ range: TimeRange, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let (block, place) = try index.seriesBlock(series)
        let row = block[place]
        if row.flags.contains(.floats) { try readFloats(series, block, row, range, into: &buffer) }
        if row.flags.contains(.histograms) { try readHistograms(series, block, row, range, into: &buffer) }
        if !buffer.startTimestamps.isEmpty { buffer.startTimestamps.pad(to: buffer.count) }
        if !buffer.histogramStartTimestamps.isEmpty { buffer.histogramStartTimestamps.pad(to: buffer.histograms.count) }
    }

    /// From the first to the last sample of a series, the deleted ones included. ms
    package func timeRange(of series: UInt32) throws(StorageError) -> TimeRange {
        let (block, place) = try index.seriesBlock(series)
        let row = block[place]
        var range = TimeRange(min: .max, max: .min)
        if row.flags.contains(.floats) {
            let pages = try pages(of: row)
            if let first = pages.first, let last = pages.last {
                range = TimeRange(min: first.range.min, max: last.range.max)
            }
        }
        if row.flags.contains(.histograms) {
            let chunks = try chunks(of: series, block, row).chunks
            if let first = chunks.first, let last = chunks.last {
                range = TimeRange(min: min(range.min, first.range.min), max: max(range.max, last.range.max))
            }
        }
        return range
    }

    /// Pages of floats and chunks of histograms of a series.
    package func chunkCount(of series: UInt32) throws(StorageError) -> Int {
        let (block, place) = try index.seriesBlock(series)
        let row = block[place]
        var count = row.flags.contains(.floats) ? try pages(of: row).count : 0
        if row.flags.contains(.histograms) { count += try chunks(of: series, block, row).chunks.count }
        return count
    }

    /// What a page of floats holds at most.
    package static var pageSamplesMax: Int { ValuePage.samplesMax }

    /// The number of samples of each page of floats.
    package func pageSampleCounts(of series: UInt32) throws(StorageError) -> [Int] {
        let (block, place) = try index.seriesBlock(series)
        let row = block[place]
        return row.flags.contains(.floats) ? try pages(of: row).map(\.count) : []
    }

    /// The bytes of the data file that are a series' own.
    func extent(of series: UInt32) throws(StorageError) -> Range<Int> {
        let (block, place) = try index.seriesBlock(series)
        let row = block[place]
        if row.flags.contains(.histograms) {
            let found = try chunks(of: series, block, row)
            let end = found.offset + BlockReader.bytes(ofPages: found.chunks.map(\.bytes))
            return row.offset..<end + BlockReader.bytes(ofPages: found.starts)
        }
        let pageCount = try pages(of: row).count
        do throws(ByteError) {
            return try block.read(row) { (cursor) throws(ByteError) in
                var end = row.offset
                if row.flags.contains(.base) { _ = try cursor.varint() }
                for kind in [SeriesPlacement.Flags.floats, .starts] where row.flags.contains(kind) {
                    _ = try PageRun(&cursor, count: pageCount, wanted: 0..<1, start: &end)
                }
                guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "end of a series") }
                return row.offset..<end
            }
        } catch {
            throw index.file.damaged("series \(series): \(error)")
        }
    }

    func pages(of row: SeriesBlock.Row) throws(StorageError) -> ArraySlice<PageTimes> {
        let (layouts, place) = try index.layoutBlock(row.layout)
        return layouts[place]
    }

    // MARK: - Start timestamps

    /// - Parameters:
    ///   - counts: of the samples of all pages.
    ///   - wanted: the pages whose floats were appended.
    ///   - trimmed: how many samples of those are not wanted.
    func readStarts(
        _ row: SeriesBlock.Row, _ block: SeriesBlock, _ counts: [Int], _ wanted: Range<Int>,
        _ trimmed: (front: Int, back: Int), into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let lengths: (lengths: [Int], offset: Int)
        do throws(ByteError) {
            lengths = try block.read(row) { (cursor) throws(ByteError) in
                var start = row.offset
                if row.flags.contains(.base) { _ = try cursor.varint() }
                _ = try PageRun(&cursor, count: counts.count, wanted: 0..<1, start: &start)
                return (try BlockReader.lengths(&cursor, counts.count), start)
            }
        } catch {
            throw index.file.damaged("start timestamps: \(error)")
        }
        let starts = try startColumn(lengths.lengths, counts, wanted, at: lengths.offset)
        buffer.startTimestamps.pad(to: buffer.count - (starts.count - trimmed.front - trimmed.back))
        buffer.startTimestamps.append(contentsOf: starts.dropFirst(trimmed.front).dropLast(trimmed.back))
    }

    private static func lengths(_ cursor: inout ByteCursor, _ count: Int) throws(ByteError) -> [Int] {
        var lengths: [Int] = []
        lengths.reserveCapacity(count)
        for _ in 0..<count { lengths.append(try cursor.varint(atMost: BlockFormat.pageBytesMax, "length of a page")) }
        return lengths
    }

    /// What pages take with the checksums of their groups.
    private static func bytes(ofPages lengths: [Int]) -> Int {
        let groups = (lengths.count + BlockFormat.pagesPerGroup - 1) / BlockFormat.pagesPerGroup
        return lengths.reduce(groups * BlockFormat.checksumBytes, +)
    }

    /// - Parameters:
    ///   - lengths: of the pages' bytes, 0 for a page of zeros.
    ///   - counts: of their samples.
    private func startColumn(
        _ lengths: [Int], _ counts: [Int], _ wanted: Range<Int>, at offset: Int
    ) throws(StorageError) -> [Timestamp] {
        var starts: [Timestamp] = []
        try forEachPage(lengths, wanted, at: offset) { (page, bytes, offset) throws(StorageError) in
            if bytes.isEmpty {
                starts.append(contentsOf: repeatElement(0, count: counts[page]))
            } else {
                starts += try timestamps(bytes, counts[page], at: offset, isAscending: false)
            }
        }
        return starts
    }

    /// Reads the groups that hold the wanted pages, one after the other.
    /// - Parameter offset: of the first of all pages. Behind them there is nothing of their kind.
    private func forEachPage(
        _ lengths: [Int], _ wanted: Range<Int>, at offset: Int,
        _ body: (Int, ArraySlice<UInt8>, Int) throws(StorageError) -> Void
    ) throws(StorageError) {
        var offset = offset
        for first in stride(from: 0, to: lengths.count, by: BlockFormat.pagesPerGroup) {
            let group = first..<min(first + BlockFormat.pagesPerGroup, lengths.count)
            let length = lengths[group].reduce(BlockFormat.checksumBytes, +)
            if group.overlaps(wanted) {
                try check(offset, length)
                let bytes = try data.piece(offset, length)
                let end = bytes.count - BlockFormat.checksumBytes
                guard CRC32C.checksum(bytes[..<end]) == bytes[end...].littleEndian32 else {
                    throw damaged(offset, "page checksum")
                }
                var start = 0
                for page in group {
                    if wanted.contains(page) { try body(page, bytes[start..<start + lengths[page]], offset + start) }
                    start += lengths[page]
                }
            }
            offset += length
        }
    }

    // MARK: - Histograms

    private struct HistogramChunks {
        var chunks: [HistogramChunkReference] = []
        /// Of the first chunk in the data file.
        var offset = 0
        /// Of the pages of start timestamps behind them; empty where there are none.
        var starts: [Int] = []
    }

    private func chunks(
        of series: UInt32, _ block: SeriesBlock, _ row: SeriesBlock.Row
    ) throws(StorageError) -> HistogramChunks {
        let pageCount = row.flags.contains(.floats) ? try pages(of: row).count : 0
        do throws(ByteError) {
            return try block.read(row) { (cursor) throws(ByteError) in
                var found = HistogramChunks(offset: row.offset)
                if row.flags.contains(.base) { _ = try cursor.varint() }
                for kind in [SeriesPlacement.Flags.floats, .starts] where row.flags.contains(kind) {
                    _ = try PageRun(&cursor, count: pageCount, wanted: 0..<1, start: &found.offset)
                }
                let count = try cursor.varint(atMost: cursor.remaining / 4, "chunks")
                var previous = footer.range.min
                for number in 0..<count {
                    let chunk = try BlockReader.chunk(&cursor, &previous)
                    guard number > 0 || chunk.range.min >= footer.range.min else {
                        throw .outOfBounds(offset: cursor.position, what: "times of a chunk")
                    }
                    found.chunks.append(chunk)
                }
                guard count > 0 else { throw .outOfBounds(offset: cursor.position, what: "chunks") }
                if row.flags.contains(.histogramStarts) { found.starts = try BlockReader.lengths(&cursor, count) }
                guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "end of a series") }
                return found
            }
        } catch {
            throw index.file.damaged("histograms of series \(series): \(error)")
        }
    }

    private static func chunk(
        _ cursor: inout ByteCursor, _ previous: inout Timestamp
    ) throws(ByteError) -> HistogramChunkReference {
        let place = cursor.position
        let tag = try cursor.varint(atMost: BlockFormat.samplesPerPage * 2 + 1, "samples of a chunk")
        let first = previous &+ (try cursor.zigzag())
        let last = first &+ Int64(bitPattern: try cursor.varint())
        let bytes = try cursor.varint(atMost: BlockFormat.pageBytesMax, "length of a chunk")
        guard first >= previous, last >= first, tag > 1 else {
            throw .outOfBounds(offset: place, what: "chunk")
        }
        previous = last
        return HistogramChunkReference(
            encoding: tag & 1 == 0 ? .histogram : .floatHistogram,
            range: TimeRange(min: first, max: last), sampleCount: tag >> 1, bytes: bytes)
    }

    private func readHistograms(
        _ series: UInt32, _ block: SeriesBlock, _ row: SeriesBlock.Row, _ range: TimeRange,
        into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let found = try chunks(of: series, block, row)
        var wanted = found.chunks.indices
        while let first = wanted.first, found.chunks[first].range.max < range.min { wanted.removeFirst() }
        while let last = wanted.last, found.chunks[last].range.min > range.max { wanted.removeLast() }
        if wanted.isEmpty { return }
        let lengths = found.chunks.map(\.bytes)
        let before = buffer.histograms.count
        var front = 0
        try forEachPage(lengths, wanted, at: found.offset) { (number, bytes, offset) throws(StorageError) in
            try append(found.chunks[number], bytes, at: offset, range, &front, to: &buffer)
        }
        // Decoding told each of them to have no start where the buffer has a column of these already.
        buffer.histogramStartTimestamps.removeLast(max(0, buffer.histogramStartTimestamps.count - before))
        guard !found.starts.isEmpty else { return }
        let offset = found.offset + BlockReader.bytes(ofPages: lengths)
        let starts = try startColumn(found.starts, found.chunks.map(\.sampleCount), wanted, at: offset)
        buffer.histogramStartTimestamps.pad(to: before)
        buffer.histogramStartTimestamps.append(
            contentsOf: starts.dropFirst(front).prefix(buffer.histograms.count - before))
    }

    /// - Parameter front: gets how many of the chunk's samples come before the range, where there are some.
    private func append(
        _ chunk: HistogramChunkReference, _ bytes: ArraySlice<UInt8>, at offset: Int, _ range: TimeRange,
        _ front: inout Int, to buffer: inout SampleBuffer
    ) throws(StorageError) {
        let before = BufferMark(buffer)
        do throws(ChunkError) {
            try chunk.encoding.decode(Array(bytes), into: &buffer)
        } catch {
            throw damaged(offset, error.description)
        }
        guard buffer.count == before.floats, buffer.histograms.count - before.histograms == chunk.sampleCount,
            buffer.oldest(since: before) == chunk.range.min, buffer.newest(since: before) == chunk.range.max
        else { throw damaged(offset, "a chunk that is not what the index says") }
        if chunk.range.min < range.min {
            front = buffer.removeHistograms(from: before.histograms) { $0 < range.min }
        }
        if chunk.range.max > range.max {
            _ = buffer.removeHistograms(from: before.histograms) { $0 > range.max }
        }
    }
}

extension SampleBuffer {
    /// - Returns: how many.
    fileprivate mutating func removeHistograms(from start: Int, where isUnwanted: (Timestamp) -> Bool) -> Int {
        let times = histogramTimestamps[start...]
        let first = times.firstIndex { isUnwanted($0) } ?? times.endIndex
        var end = first
        while end < times.endIndex, isUnwanted(times[end]) { end += 1 }
        histogramTimestamps.removeSubrange(first..<end)
        histograms.removeSubrange(first..<end)
        return end - first
    }
}

extension [Timestamp] {
    /// Fills with "unknown".
    fileprivate mutating func pad(to count: Int) {
        if self.count < count { append(contentsOf: repeatElement(0, count: count - self.count)) }
    }
}
