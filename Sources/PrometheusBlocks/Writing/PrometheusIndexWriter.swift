import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// Collects series and writes the index of them, in version 2 of the format.
///
/// Symbols are numbered as they are met; at the end they get their places in the sorted table, and the series entries,
/// which wait in a file aside, are written with those.
struct PrometheusIndexWriter {
    private static let spoolName = "series.tmp"

    /// A name and a value, by their first numbers.
    private struct Pair: Hashable {
        var name: UInt32
        var value: UInt32
    }

    private let fileSystem: any FileSystem
    private let directory: String
    private let spoolPath: String
    private var spool: BufferedFile
    private(set) var seriesCount = 0
    private var symbolNumbers: [[UInt8]: UInt32] = [:]
    private var symbols: [[UInt8]] = []
    /// By pair: the numbers of the series, from 0 in label order.
    private var lists: [Pair: [UInt32]] = [:]

    init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        self.fileSystem = fileSystem
        self.directory = directory
        spoolPath = FilePath.join(directory, PrometheusIndexWriter.spoolName)
        spool = try BufferedFile(fileSystem: fileSystem, path: spoolPath)
    }

    mutating func add(_ labels: LabelSet, _ chunks: [PrometheusChunkReference]) throws(StorageError) {
        guard seriesCount < Int(UInt32.max) else { throw .invalid(reason: "\(directory): too many series") }
        var pairs = ByteBuilder()
        var count = 0
        var ranges = labels.ranges
        while let (name, value) = ranges.next() {
            let pair = Pair(name: number(of: labels.packed[name]), value: number(of: labels.packed[value]))
            lists[pair, default: []].append(UInt32(seriesCount))
            pairs.appendVarint(UInt64(pair.name))
            pairs.appendVarint(UInt64(pair.value))
            count += 1
        }
        let tail = PrometheusIndexWriter.encode(chunks)
        var entry = ByteBuilder(capacity: pairs.count + tail.count + 8)
        entry.appendVarint(count)
        entry.append(contentsOf: pairs.bytes)
        entry.append(contentsOf: tail)
        var record = ByteBuilder()
        record.appendSized(entry.bytes)
        try spool.write(record.bytes)
        seriesCount += 1
    }

    private mutating func number(of text: ArraySlice<UInt8>) -> UInt32 {
        let text = Array(text)
        if let number = symbolNumbers[text] { return number }
        let number = UInt32(truncatingIfNeeded: symbols.count)
        symbolNumbers[text] = number
        symbols.append(text)
        return number
    }

    /// Times and places as changes.
    private static func encode(_ chunks: [PrometheusChunkReference]) -> [UInt8] {
        var builder = ByteBuilder()
        builder.appendVarint(chunks.count)
        var time: Timestamp = 0
        var place: UInt64 = 0
        for (index, chunk) in chunks.enumerated() {
            let reference = UInt64(chunk.segment) << 32 | UInt64(chunk.offset)
            if index == 0 {
                builder.appendZigzag(chunk.range.min)
            } else {
                builder.appendVarint(UInt64(bitPattern: chunk.range.min &- time))
            }
            builder.appendVarint(UInt64(bitPattern: chunk.range.max &- chunk.range.min))
            if index == 0 {
                builder.appendVarint(reference)
            } else {
                builder.appendZigzag(Int64(bitPattern: reference &- place))
            }
            time = chunk.range.max
            place = reference
        }
        return builder.bytes
    }

    // MARK: - The file

    mutating func finish() throws(StorageError) {
        try spool.flush()
        let order = symbols.indices.sorted { symbols[$0].lexicographicallyPrecedes(symbols[$1]) }
        var ranks = [UInt32](repeating: 0, count: symbols.count)
        for (rank, number) in order.enumerated() { ranks[number] = UInt32(truncatingIfNeeded: rank) }

        var file = try BufferedFile(
            fileSystem: fileSystem, path: FilePath.join(directory, PrometheusFormat.indexName))
        var contents = IndexContents()
        try file.write(bigEndian: PrometheusFormat.indexMagic)
        try file.write([2])
        contents.symbols = file.position
        try writeSymbols(order, to: &file)
        contents.series = file.position
        let references = try writeSeries(ranks, to: &file)

        let pairs = lists.keys.sorted {
            (ranks[Int($0.name)], ranks[Int($0.value)]) < (ranks[Int($1.name)], ranks[Int($1.value)])
        }
        try file.align(to: 4)
        contents.labelIndices = file.position
        let labelPlaces = try writeLabelIndices(pairs, ranks, to: &file)
        try file.align(to: 4)
        contents.postings = file.position
        let postingPlaces = try writePostings(pairs, references, to: &file)
        contents.labelIndexTable = file.position
        try file.write(section: labelTable(labelPlaces), "label offset table")
        contents.postingsTable = file.position
        try file.write(section: postingsTable(pairs, postingPlaces), "postings offset table")
        try file.write(contents.encoded)
        try file.finish()
        let (fileSystem, spoolPath) = (fileSystem, spoolPath)
        try StorageError.wrapping { () throws(FileError) in try fileSystem.remove(spoolPath) }
    }

    private func writeSymbols(_ order: [Int], to file: inout BufferedFile) throws(StorageError) {
        var content = ByteBuilder()
        content.appendBigEndian(UInt32(truncatingIfNeeded: symbols.count))
        for number in order { content.appendSized(symbols[number]) }
        try file.write(section: content.bytes, "symbol table")
    }

    /// - Returns: the references of the series.
    private func writeSeries(_ ranks: [UInt32], to file: inout BufferedFile) throws(StorageError) -> [UInt32] {
        let fileSystem = fileSystem
        let spool = CheckedFile(
            try StorageError.wrapping { () throws(FileError) in try fileSystem.map(spoolPath) })
        var references: [UInt32] = []
        references.reserveCapacity(seriesCount)
        var place = 0
        while place < spool.size {
            let head = try spool.bytes(at: place, atMost: Varint.bytesMax)
            let (length, start) = try spool.fields(head, at: place, "entry") {
                (cursor: inout ByteCursor) throws(ByteError) in
                (try cursor.varint(atMost: spool.size, "entry length"), cursor.position)
            }
            let entry = try spool.bytes(at: place + start, count: length)
            let content = try spool.fields(entry, at: place + start, "entry") {
                (cursor: inout ByteCursor) throws(ByteError) in
                try PrometheusIndexWriter.renumbered(&cursor, ranks)
            }
            try file.align(to: PrometheusFormat.seriesAlignment)
            guard let reference = UInt32(exactly: file.position / PrometheusFormat.seriesAlignment) else {
                throw .invalid(reason: "\(directory): the index becomes too large")
            }
            references.append(reference)
            var record = ByteBuilder(capacity: content.count + 8)
            record.appendSized(content)
            record.appendBigEndian(CRC32C.checksum(content))
            try file.write(record.bytes)
            place += start + length
        }
        return references
    }

    /// The entry with the symbols' places in the sorted table.
    private static func renumbered(_ cursor: inout ByteCursor, _ ranks: [UInt32]) throws(ByteError) -> [UInt8] {
        var content = ByteBuilder(capacity: cursor.count + 8)
        let count = try cursor.varint(atMost: cursor.remaining, "number of labels")
        content.appendVarint(count)
        for _ in 0..<(count * 2) {
            content.appendVarint(UInt64(ranks[try cursor.varint(atMost: ranks.count - 1, "symbol")]))
        }
        content.append(contentsOf: try cursor.bytes(cursor.remaining))
        return content.bytes
    }

    /// Nobody reads them since Prometheus 2.15, but tools of before do.
    /// - Returns: names and where their values lie.
    private func writeLabelIndices(
        _ pairs: [Pair], _ ranks: [UInt32], to file: inout BufferedFile
    ) throws(StorageError) -> [(name: UInt32, place: Int)] {
        var places: [(name: UInt32, place: Int)] = []
        var start = 0
        while start < pairs.count {
            var end = start
            while end < pairs.count, pairs[end].name == pairs[start].name { end += 1 }
            try file.align(to: 4)
            places.append((pairs[start].name, file.position))
            var content = ByteBuilder()
            content.appendBigEndian(UInt32(1))
            content.appendBigEndian(UInt32(truncatingIfNeeded: end - start))
            for pair in pairs[start..<end] { content.appendBigEndian(ranks[Int(pair.value)]) }
            try file.write(section: content.bytes, "label index")
            start = end
        }
        return places
    }

    /// - Returns: where the lists lie: first that of all series, then those of the pairs.
    private func writePostings(
        _ pairs: [Pair], _ references: [UInt32], to file: inout BufferedFile
    ) throws(StorageError) -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(pairs.count + 1)
        func write(_ list: some Collection<UInt32>, to file: inout BufferedFile) throws(StorageError) {
            try file.align(to: 4)
            places.append(file.position)
            var content = ByteBuilder(capacity: list.count * 4 + 4)
            content.appendBigEndian(UInt32(truncatingIfNeeded: list.count))
            for reference in list { content.appendBigEndian(reference) }
            try file.write(section: content.bytes, "postings")
        }
        try write(references, to: &file)
        for pair in pairs { try write((lists[pair] ?? []).map { references[Int($0)] }, to: &file) }
        return places
    }

    private func labelTable(_ places: [(name: UInt32, place: Int)]) -> [UInt8] {
        var content = ByteBuilder()
        content.appendBigEndian(UInt32(truncatingIfNeeded: places.count))
        for (name, place) in places {
            content.append(UInt8(1))
            content.appendSized(symbols[Int(name)])
            content.appendVarint(place)
        }
        return content.bytes
    }

    private func postingsTable(_ pairs: [Pair], _ places: [Int]) -> [UInt8] {
        var content = ByteBuilder()
        content.appendBigEndian(UInt32(truncatingIfNeeded: places.count))
        for (index, place) in places.enumerated() {
            content.append(UInt8(2))
            content.appendSized(index == 0 ? [] : symbols[Int(pairs[index - 1].name)])
            content.appendSized(index == 0 ? [] : symbols[Int(pairs[index - 1].value)])
            content.appendVarint(place)
        }
        return content.bytes
    }
}
