import ByteCoding
import ChunkEncoding
package import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles
import Synchronization

/// An open block. Both files are mapped; opening reads the footer and two headers, whatever the number of series.
///
/// Series are numbered from 0 in the order of their labels. Any thread may read. The files may be unlinked while the
/// reader lives: the mappings keep the content.
package final class BlockReader: Sendable {
    package let path: String
    package let footer: BlockFooter
    /// What was deleted when the block was opened: `read(series:)` leaves it out.
    package let tombstones: BlockTombstones
    private let data: MappedFile
    private let index: Mutex<IndexReader>
    /// By series number, filled as series are met; empty before the first. 16 bytes a series.
    private let fingerprintTable = Mutex<[SeriesFingerprint]>([])

    /// - Parameter path: the block's directory.
    /// - Throws: `StorageError.corruption` where a file is not what the footer says.
    package init(fileSystem: any FileSystem, path: String) throws(StorageError) {
        let footer = try BlockReader.footer(fileSystem: fileSystem, path: path)
        let (data, indexFile) = try StorageError.wrapping { () throws(FileError) in
            (
                try fileSystem.map(FilePath.join(path, BlockFormat.dataName)),
                try fileSystem.map(FilePath.join(path, BlockFormat.indexName))
            )
        }
        for (file, bytes) in [(data, footer.dataBytes), (indexFile, footer.indexBytes)] where file.size != bytes {
            throw .corruption(
                file: file.path, offset: min(file.size, bytes), reason: "\(file.size) bytes in place of \(bytes)")
        }
        self.path = path
        self.footer = footer
        tombstones = try BlockTombstones.read(
            fileSystem: fileSystem, path: path, seriesCount: footer.seriesCount)
        self.data = data
        index = Mutex(try IndexReader(indexFile, footer: footer))
        let header = try dataBytes(0, BlockFormat.fileHeaderBytes)
        guard header.starts(with: BlockFormat.dataMagic), header[8...].starts(with: [1, 0, 0, 0]) else {
            throw .corruption(file: data.path, offset: 0, reason: "not block data of version 1")
        }
    }

    /// Only what a block says of itself.
    package static func footer(fileSystem: any FileSystem, path: String) throws(StorageError) -> BlockFooter {
        let file = FilePath.join(path, BlockFormat.footerName)
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(file, limit: BlockFormat.footerBytesMax)
        }
        return try BlockFooter(bytes, file: file)
    }

    // MARK: - Index

    package var seriesCount: Int { footer.seriesCount }

    /// Sorted by bytes.
    package func labelNames() throws(StorageError) -> [String] {
        try withIndex { (index) throws(StorageError) in
            var names: [String] = []
            for name in try index.names() { names.append(String(decoding: try index.symbol(name), as: UTF8.self)) }
            return names
        }
    }

    /// The values of a label, sorted by bytes; empty where no series has it.
    package func labelValues(of name: String) throws(StorageError) -> [String] {
        try withIndex { (index) throws(StorageError) in
            guard let number = try index.number(of: name) else { return [] }
            var values: [String] = []
            for pair in try index.pairs(ofName: number) {
                values.append(String(decoding: try index.symbol(try index.pairValue(pair)), as: UTF8.self))
            }
            return values
        }
    }

    /// The numbers of the series that have the label, ascending.
    package func postings(name: String, value: String) throws(StorageError) -> [UInt32] {
        try withIndex { (index) throws(StorageError) in
            guard let name = try index.number(of: name), let value = try index.number(of: value),
                let pair = try index.pair(ofName: name, value: value)
            else { return [] }
            return try index.postings(pair)
        }
    }

    package func allPostings() -> [UInt32] { Array(0..<UInt32(footer.seriesCount)) }

    package func labels(of series: UInt32) throws(StorageError) -> LabelSet {
        try withIndex { (index) throws(StorageError) in try index.labels(of: series) }
    }

    /// In order of time, without overlap.
    package func chunks(of series: UInt32) throws(StorageError) -> [BlockChunkReference] {
        try withIndex { (index) throws(StorageError) in try index.chunks(of: series) }
    }

    /// Tells series of different blocks apart without decoding their labels each time.
    package func fingerprints(of series: [UInt32]) throws(StorageError) -> [SeriesFingerprint] {
        var known = fingerprintTable.withLock { table -> [SeriesFingerprint] in
            if table.isEmpty { table = [SeriesFingerprint](repeating: .unknown, count: footer.seriesCount) }
            return series.map { Int($0) < table.count ? table[Int($0)] : .unknown }
        }
        var isComplete = true
        for (position, number) in series.enumerated() where known[position] == .unknown {
            known[position] = SeriesFingerprint(try labels(of: number))
            isComplete = false
        }
        if !isComplete {
            fingerprintTable.withLock { table in
                for (number, fingerprint) in zip(series, known) where Int(number) < table.count {
                    table[Int(number)] = fingerprint
                }
            }
        }
        return known
    }

    private func withIndex<R: Sendable>(
        _ body: (inout IndexReader) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let result = index.withLock { index -> Result<R, StorageError> in
            do throws(StorageError) {
                return .success(try body(&index))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: - Samples

    /// Appends the series' samples within the range to the buffer, without those that were deleted.
    /// - Throws: `StorageError.corruption`.
    package func read(
        series: UInt32, range: TimeRange = .all, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        guard let deleted = tombstones.ranges(of: series) else {
            try readStored(series, range, into: &buffer)
            return
        }
        if deleted.covers(range) { return }
        let before = BufferMark(buffer)
        try readStored(series, range, into: &buffer)
        buffer.removeAll(in: deleted, since: before)
    }

    private func readStored(
        _ series: UInt32, _ range: TimeRange, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let all = try chunks(of: series)
        guard let first = all.firstIndex(where: { $0.range.max >= range.min }) else { return }
        var end = first
        while end < all.count, all[end].range.min <= range.max { end += 1 }
        // The chunks of a series lie one behind the other: one copy out of the mapping for all of them.
        var start = first
        while start < end {
            var next = start + 1
            while next < end, all[next].offset == all[next - 1].offset + all[next - 1].length,
                all[next].offset + all[next].length - all[start].offset <= BlockFormat.chunkBytesMax
            {
                next += 1
            }
            try read(all[start..<next], range: range, into: &buffer)
            start = next
        }
    }

    /// Appends the chunk's samples within the range to the buffer.
    /// - Throws: `StorageError.corruption`; nothing of the chunk has been appended then.
    package func read(
        _ chunk: BlockChunkReference, range: TimeRange = .all, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        try read([chunk], range: range, into: &buffer)
    }

    /// - Parameter chunks: they lie one behind the other.
    private func read(
        _ chunks: ArraySlice<BlockChunkReference>, range: TimeRange, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        guard let first = chunks.first, let last = chunks.last else { return }
        for chunk in chunks
        where chunk.length <= BlockFormat.checksumBytes || chunk.length > BlockFormat.chunkBytesMax {
            throw damaged(chunk, "chunk length \(chunk.length)")
        }
        let (end, hasOverflowed) = last.offset.addingReportingOverflow(last.length)
        guard !hasOverflowed, first.offset >= 0, end <= data.size else {
            throw damaged(last, "chunk beyond the end of the file")
        }
        let count = end - first.offset
        let failure = withUnsafeTemporaryAllocation(
            byteCount: count + XORDecoder.padding, alignment: 8
        ) { memory -> StorageError? in
            do throws(FileError) {
                try data.copy(from: first.offset, into: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
            } catch {
                return .corruption(file: data.path, offset: first.offset, reason: error.description)
            }
            for index in count..<memory.count { memory[index] = 0 }
            do throws(StorageError) {
                for chunk in chunks {
                    let place = chunk.offset - first.offset
                    let record = UnsafeRawBufferPointer(rebasing: memory[place..<place + chunk.length])
                    try decode(record, of: chunk, range, into: &buffer)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// - Parameter record: the chunk's bytes in the file; `XORDecoder.padding` more can be read behind them.
    private func decode(
        _ record: UnsafeRawBufferPointer, of chunk: BlockChunkReference, _ range: TimeRange,
        into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let end = record.count - BlockFormat.checksumBytes
        let checksum = UInt32(littleEndian: record.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        let content = UnsafeRawBufferPointer(rebasing: record[..<end])
        guard CRC32C.checksum(content) == checksum else { throw damaged(chunk, "chunk checksum") }
        let header: (encoding: ChunkEncoding, start: Int)
        do throws(ByteError) {
            header = try BlockReader.header(content)
        } catch {
            throw damaged(chunk, error.description)
        }
        let before = BufferMark(buffer)
        do throws(ChunkError) {
            try header.encoding.decode(
                padded: UnsafeRawBufferPointer(rebasing: content[header.start...]), into: &buffer, range: range)
        } catch {
            throw damaged(chunk, error.description)
        }
        if let oldest = buffer.oldest(since: before), !chunk.range.contains(oldest) {
            buffer.removeAll(since: before)
            throw damaged(chunk, "samples outside of the chunk's range")
        }
    }

    /// What stands before a chunk's bytes in a record, and where they begin.
    private static func header(
        _ record: UnsafeRawBufferPointer
    ) throws(ByteError) -> (encoding: ChunkEncoding, start: Int) {
        var cursor = ByteCursor(record)
        let length = try cursor.varint(atMost: record.count, "chunk length")
        guard let encoding = ChunkEncoding(rawValue: try cursor.byte()) else {
            throw .outOfBounds(offset: cursor.position - 1, what: "encoding")
        }
        guard length == record.count - cursor.position else { throw .outOfBounds(offset: 0, what: "chunk length") }
        return (encoding, cursor.position)
    }

    /// The chunk as it was given to the writer.
    package func chunk(_ reference: BlockChunkReference) throws(StorageError) -> BlockChunk {
        let record = try record(of: reference)
        return BlockChunk(
            encoding: record.encoding, range: reference.range, sampleCount: reference.sampleCount,
            bytes: Array(record.bytes[record.payload]))
    }

    /// A record of the data file whose checksum is right.
    private struct Record {
        var bytes: [UInt8]
        var encoding: ChunkEncoding
        /// Where in `bytes` the chunk lies.
        var payload: Range<Int>
    }

    private func record(of chunk: BlockChunkReference) throws(StorageError) -> Record {
        guard chunk.length > BlockFormat.checksumBytes, chunk.length <= BlockFormat.chunkBytesMax else {
            throw damaged(chunk, "chunk length \(chunk.length)")
        }
        let bytes = try dataBytes(chunk.offset, chunk.length)
        let end = bytes.count - BlockFormat.checksumBytes
        let checksum = bytes.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        }
        guard CRC32C.checksum(bytes[..<end]) == checksum else { throw damaged(chunk, "chunk checksum") }
        do throws(ByteError) {
            typealias Outcome = Result<(encoding: ChunkEncoding, start: Int), ByteError>
            let header = try bytes.withUnsafeBytes { buffer -> Outcome in
                do throws(ByteError) {
                    return .success(try BlockReader.header(UnsafeRawBufferPointer(rebasing: buffer[..<end])))
                } catch {
                    return .failure(error)
                }
            }.get()
            return Record(bytes: bytes, encoding: header.encoding, payload: header.start..<end)
        } catch {
            throw damaged(chunk, error.description)
        }
    }

    private func dataBytes(_ offset: Int, _ count: Int) throws(StorageError) -> [UInt8] {
        do throws(FileError) {
            return try data.bytes(at: offset, count: count)
        } catch {
            throw .corruption(file: data.path, offset: offset, reason: error.description)
        }
    }

    private func damaged(_ chunk: BlockChunkReference, _ reason: String) -> StorageError {
        .corruption(file: data.path, offset: chunk.offset, reason: reason)
    }
}
