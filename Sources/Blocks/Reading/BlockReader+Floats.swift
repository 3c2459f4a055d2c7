import ByteCoding
import ColdPages
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// A series whose pages are needed to decode others: the one that was asked for, its base, the base of that.
private struct ChainLevel {
    var series: UInt32
    var block: SeriesBlock
    var row: SeriesBlock.Row
    var run = PageRun()
    /// Of the run's bytes in the memory of a read.
    var place = 0
}

extension BlockReader {
    /// Appends the floats of a series within the range.
    /// - Throws: what has been appended then may be anything.
    func readFloats(
        _ series: UInt32, _ block: SeriesBlock, _ row: SeriesBlock.Row, _ range: TimeRange,
        into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let (layouts, place) = try index.layoutBlock(row.layout)
        let pages = layouts[place]
        let base = pages.startIndex
        var (first, end) = (base, pages.endIndex)
        while first < end, pages[first].range.max < range.min { first += 1 }
        while first < end, pages[end - 1].range.min > range.max { end -= 1 }
        guard first < end else { return }
        var count = 0
        for page in first..<end { count += pages[page].count }
        let start = buffer.count
        buffer.reserve(floats: count)
        var levels = try chain(series, block, row)
        var trimmed = (front: 0, back: 0)
        var next = first
        while next < end {
            try locate(next - base..<end - base, of: pages.count, &levels)
            let runEnd = min(end, base + levels[0].run.pages.upperBound)
            try withRuns(&levels) { (memory, scratch, levels) throws(StorageError) in
                for number in next..<runEnd {
                    let page = pages[number]
                    try appendTimestamps(page, to: &buffer)
                    try appendValues(number - base, page.count, memory, scratch, levels, to: &buffer)
                    if page.range.min < range.min { trimmed.front = buffer.trimFront(page.count, before: range.min) }
                }
            }
            next = runEnd
        }
        if pages[end - 1].range.max > range.max { trimmed.back = buffer.trimBack(start, behind: range.max) }
        if row.flags.contains(.starts) {
            try readStarts(levels[0].row, block, pages.map(\.count), first - base..<end - base, trimmed, into: &buffer)
        }
    }

    // MARK: - Where the pages are

    /// The series and those whose values its pages may need.
    private func chain(
        _ series: UInt32, _ block: SeriesBlock, _ row: SeriesBlock.Row
    ) throws(StorageError) -> [ChainLevel] {
        var levels = [ChainLevel(series: series, block: block, row: row)]
        while let last = levels.last, last.row.flags.contains(.base) {
            let distance: UInt64
            do throws(ByteError) {
                distance = try last.block.read(last.row) { (cursor) throws(ByteError) in try cursor.varint() }
            } catch {
                throw index.file.damaged("series \(last.series): \(error)")
            }
            guard distance > 0, distance <= UInt64(last.series), levels.count <= BlockFormat.baseDepthMax else {
                throw index.file.damaged("base of series \(last.series)")
            }
            let series = last.series - UInt32(distance)
            let (block, place) = try index.seriesBlock(series)
            let row = block[place]
            guard row.layout == last.row.layout, row.flags.contains(.floats) else {
                throw index.file.damaged("base of series \(last.series) has other timestamps")
            }
            levels.append(ChainLevel(series: series, block: block, row: row))
        }
        return levels
    }

    /// Finds the pages of each level.
    private func locate(_ wanted: Range<Int>, of count: Int, _ levels: inout [ChainLevel]) throws(StorageError) {
        for level in levels.indices {
            let (block, row) = (levels[level].block, levels[level].row)
            do throws(ByteError) {
                levels[level].run = try block.read(row) { (cursor) throws(ByteError) in
                    if row.flags.contains(.base) { _ = try cursor.varint() }
                    var start = row.offset
                    return try PageRun(&cursor, count: count, wanted: wanted, start: &start)
                }
            } catch {
                throw index.file.damaged("pages of series \(levels[level].series): \(error)")
            }
        }
    }

    /// Copies the runs of all levels out of the file and checks them.
    private func withRuns(
        _ levels: inout [ChainLevel],
        _ body: (UnsafeRawBufferPointer, UnsafeMutablePointer<Double>, [ChainLevel]) throws(StorageError) -> Void
    ) throws(StorageError) {
        // Two pages of values first.
        let scratchBytes = levels.count > 1 ? 2 * BlockFormat.samplesPerPage * MemoryLayout<Double>.size : 0
        var total = scratchBytes
        for level in levels.indices {
            levels[level].place = total
            total += levels[level].run.length
        }
        for level in levels { try check(level.run.offset, level.run.length) }
        let failure = withUnsafeTemporaryAllocation(byteCount: total, alignment: 16) { memory -> StorageError? in
            guard let address = memory.baseAddress else { return index.file.damaged("pages without bytes") }
            do throws(StorageError) {
                for level in levels {
                    let bytes = UnsafeMutableRawBufferPointer(
                        rebasing: memory[level.place..<level.place + level.run.length])
                    try copy(level.run, into: bytes)
                }
                let scratch = address.assumingMemoryBound(to: Double.self)
                try body(UnsafeRawBufferPointer(memory), scratch, levels)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Before memory is taken for them.
    func check(_ offset: Int, _ length: Int) throws(StorageError) {
        guard offset >= BlockFormat.fileHeaderBytes, offset <= data.size, length <= data.size - offset else {
            throw damaged(offset, "pages beyond the end of the file")
        }
    }

    /// Copies a run and checks it.
    func copy(_ run: PageRun, into bytes: UnsafeMutableRawBufferPointer) throws(StorageError) {
        do throws(FileError) {
            try data.copy(from: run.offset, into: bytes)
        } catch {
            throw damaged(run.offset, error.description)
        }
        guard run.hasValidChecksums(UnsafeRawBufferPointer(bytes)) else { throw damaged(run.offset, "page checksum") }
    }

    func damaged(_ offset: Int, _ reason: String) -> StorageError {
        .corruption(file: data.path, offset: offset, reason: reason)
    }

    // MARK: - Timestamps

    private func appendTimestamps(_ page: PageTimes, to buffer: inout SampleBuffer) throws(StorageError) {
        if page.isRegular {
            let (start, step, count) = (page.range.min, page.step, page.count)
            buffer.timestamps.append(addingCapacity: count) { (span: inout OutputSpan<Timestamp>) in
                span.withUnsafeMutableBufferPointer { target, initialized in
                    for index in 0..<count {
                        target.initializeElement(at: index, to: start &+ Int64(truncatingIfNeeded: index) &* step)
                    }
                    initialized = count
                }
            }
        } else {
            let column = try columns.value(page.columnOffset) { () throws(StorageError) in try self.column(page) }
            guard column.timestamps.count == page.count, column.timestamps.first == page.range.min,
                column.timestamps.last == page.range.max
            else { throw damaged(page.columnOffset, "a column of timestamps that is not the index's") }
            buffer.timestamps.append(contentsOf: column.timestamps)
        }
    }

    func column(_ page: PageTimes) throws(StorageError) -> TimestampBox {
        try check(page.columnOffset, page.columnLength + BlockFormat.checksumBytes)
        var bytes = try data.piece(page.columnOffset, page.columnLength + BlockFormat.checksumBytes)
        let checksum = bytes.suffix(BlockFormat.checksumBytes).littleEndian32
        bytes.removeLast(BlockFormat.checksumBytes)
        guard CRC32C.checksum(bytes) == checksum else { throw damaged(page.columnOffset, "page checksum") }
        return TimestampBox(try timestamps(bytes[...], page.count, at: page.columnOffset, isAscending: true))
    }

    func timestamps(
        _ bytes: ArraySlice<UInt8>, _ count: Int, at offset: Int, isAscending: Bool
    ) throws(StorageError) -> [Timestamp] {
        var failure: ColdPageError?
        let timestamps = [Timestamp](unsafeUninitializedCapacity: count) { target, initialized in
            guard let address = target.baseAddress else { return }
            failure = bytes.withUnsafeBytes { bytes -> ColdPageError? in
                do throws(ColdPageError) {
                    try TimestampColumn.decode(bytes, count: count, into: address)
                    initialized = count
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw damaged(offset, failure.description) }
        if isAscending {
            for index in 1..<max(1, timestamps.count) where timestamps[index - 1] >= timestamps[index] {
                throw damaged(offset, "timestamps out of order")
            }
        }
        return timestamps
    }

    // MARK: - Values

    /// Decodes a page, those that it needs before it.
    private func appendValues(
        _ page: Int, _ count: Int, _ memory: UnsafeRawBufferPointer, _ scratch: UnsafeMutablePointer<Double>,
        _ levels: [ChainLevel], to buffer: inout SampleBuffer
    ) throws(StorageError) {
        func bytes(_ level: Int) -> UnsafeRawBufferPointer {
            let range = levels[level].run.range(page)
            let place = levels[level].place
            return UnsafeRawBufferPointer(rebasing: memory[place + range.lowerBound..<place + range.upperBound])
        }
        var last = 0
        if levels.count > 1 {
            while ValuePage.needsBase(bytes(last)) {
                last += 1
                guard last < levels.count else {
                    throw damaged(levels[last - 1].run.offset, "page \(page) needs the values of another series")
                }
            }
        }
        do throws(ColdPageError) {
            // The pages at odd and at even levels take turns in the scratch.
            var base: UnsafeBufferPointer<Double>?
            while last > 0 {
                let target = scratch + (last & 1) * BlockFormat.samplesPerPage
                try ValuePage.decode(bytes(last), count: count, base: base, into: target)
                base = UnsafeBufferPointer(start: target, count: count)
                last -= 1
            }
            try buffer.values.append(addingCapacity: count) {
                (span: inout OutputSpan<Double>) throws(ColdPageError) in
                try span.withUnsafeMutableBufferPointer { (target, initialized) throws(ColdPageError) in
                    guard let address = target.baseAddress else { return }
                    try ValuePage.decode(bytes(0), count: count, base: base, into: address)
                    initialized = count
                }
            }
        } catch {
            throw damaged(levels[last].run.offset + levels[last].run.range(page).lowerBound, error.description)
        }
    }
}

extension SampleBuffer {
    /// Room for so many more.
    fileprivate mutating func reserve(floats count: Int) {
        let needed = values.count + count
        if values.capacity < needed { values.reserveCapacity(max(needed, values.count * 2)) }
        if timestamps.capacity < needed { timestamps.reserveCapacity(max(needed, timestamps.count * 2)) }
    }

    /// Of the last `count` floats takes out those before a time. - Returns: how many.
    fileprivate mutating func trimFront(_ count: Int, before time: Timestamp) -> Int {
        let start = timestamps.count - count
        var (low, high) = (start, timestamps.count)
        while low < high {
            let middle = (low + high) / 2
            if timestamps[middle] < time { low = middle + 1 } else { high = middle }
        }
        timestamps.removeSubrange(start..<low)
        values.removeSubrange(start..<low)
        return low - start
    }

    /// Of the floats from `start` on takes out those behind a time. - Returns: how many.
    fileprivate mutating func trimBack(_ start: Int, behind time: Timestamp) -> Int {
        var end = timestamps.count
        while end > start, timestamps[end - 1] > time { end -= 1 }
        let count = timestamps.count - end
        timestamps.removeLast(count)
        values.removeLast(count)
        return count
    }
}
