import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import TestSupport
import Testing

@testable import WAL

@Suite("What one damaged place of a log can cost")
struct WALSegmentLossTests {
    private let disk = SimulatedFileSystem()

    private func open(
        nextLSN: LSN = 1, _ adjust: (inout LogOptions) -> Void = { _ in }
    ) throws -> LogWriter {
        var options = LogOptions()
        options.samplesPerSeriesMax = 3
        options.segmentBytesMin = 0
        adjust(&options)
        return try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: nextLSN, options: options)
    }

    /// Appends batches, and says again which series have which slot as the store does.
    private func append(_ range: Range<Int>, to log: LogWriter) throws {
        for number in range {
            _ = try log.append(WALFixture.batch(number))
            try repeatSeries(log)
        }
    }

    private func repeatSeries(_ log: LogWriter) throws {
        let series = log.seriesToRepeat(atMost: 10)
        try log.repeatSeries(
            series.map {
                .init(
                    slot: $0.slot, generation: $0.generation,
                    labels: ["__name__": "requests_total", "path": "/\($0.slot * 2)"])
            }, of: series.count)
    }

    @Test("A segment is left when it has so many samples of each series, and not for a few bytes")
    func length() throws {
        let log = try open()
        var batch = LogBatch()
        for slot in 0..<10 { batch.append(slot: UInt32(slot), timestamp: 5, value: 1) }
        for index in 0..<20 {
            _ = try log.append(batch)
            #expect(log.currentSegment == UInt64(index / 3))
        }
        let other = SimulatedFileSystem()
        var options = LogOptions()
        options.samplesPerSeriesMax = 3
        let long = try LogWriter(
            fileSystem: other, directory: WALFixture.directory, nextLSN: 1, options: options)
        while long.size < options.segmentBytesMin {
            _ = try long.append(batch)
            #expect(long.currentSegment == 0)
        }
        _ = try long.append(batch)
        #expect(long.currentSegment == 1)
    }

    @Test("Series that bring few samples, or none, do not end a segment early, nor do deletions and exemplars")
    func uneven() throws {
        let log = try open()
        for round in 0..<30 {
            var batch = LogBatch()
            // New series in every round: the mean stays low.
            for slot in 0..<10 { batch.append(slot: UInt32(round * 10 + slot), timestamp: 5, value: 0) }
            _ = try log.append(batch)
            var deletions = LogBatch()
            deletions.deletions = [.init(slot: 1, generation: 1, range: TimeRange(min: 0, max: 1))]
            _ = try log.append(deletions)
        }
        #expect(log.currentSegment == 0)
    }

    @Test("The series of a segment that was left are said again in the next one, once, unless a checkpoint has them")
    func repetition() throws {
        let log = try open()
        try append(0..<40, to: log)
        #expect(log.currentSegment > 2)
        var said: [UInt32: [UInt64]] = [:]
        for segment in 0...log.currentSegment {
            var reader = try LogReader(fileSystem: disk, path: WALFixture.segment(segment), kind: .segment)
            var decoder = BatchDecoder()
            var batch = LogBatch()
            while let frame = try reader.next() {
                try decoder.decode(frame.payload, frame.type, into: &batch)
                for series in batch.newSeries { said[series.slot, default: []].append(segment) }
            }
        }
        for (slot, segments) in said {
            #expect(segments.count <= 2, "slot \(slot)")
            if segments[0] + 1 < log.currentSegment { #expect(segments.count == 2, "slot \(slot)") }
        }
        for _ in 0..<3 { try repeatSeries(log) }
        #expect(log.seriesToRepeat(atMost: 9).isEmpty)
        try append(40..<41, to: log)
        try repeatSeries(log)
        let segment = try log.cutSegment()
        #expect(log.seriesToRepeat(atMost: 9).isEmpty, "a checkpoint is being made")
        try log.removeSegments(before: segment)
        try append(41..<80, to: log)
        WALFixture.expectSamples(try WALFixture.replay(disk).batches, of: 41..<80)
    }

    /// Batches by the segment that they are in.
    private func segments(_ log: LogWriter) throws -> [UInt64: [LSN: LogBatch]] {
        var found: [UInt64: [LSN: LogBatch]] = [:]
        for segment in 0...log.currentSegment {
            var reader = try LogReader(fileSystem: disk, path: WALFixture.segment(segment), kind: .segment)
            var decoder = BatchDecoder()
            var batch = LogBatch()
            while let frame = try reader.next() {
                try decoder.decode(frame.payload, frame.type, into: &batch)
                found[segment, default: [:]][frame.lsn] = batch
            }
        }
        return found
    }

    @Test("A changed byte in any segment leaves the records before it, and those of all other segments")
    func flips() throws {
        let log = try open()
        try append(0..<16, to: log)
        let written = try segments(log)
        #expect(written.count >= 4)
        for segment in 0...log.currentSegment {
            let whole = try #require(disk.bytes(WALFixture.segment(segment)))
            let offsets = try WALFixture.frameOffsets(disk, segment)
            // The last field of the header is not used.
            for index in whole.indices where !(36..<40).contains(index) {
                let broken = disk.killProcess()
                var bytes = whole
                bytes[index] ^= UInt8(1 << (index % 8))
                broken.put(WALFixture.segment(segment), bytes)
                let (batches, report) = try WALFixture.replay(broken)
                let good = max(0, offsets.filter { $0 <= index }.count - 1)
                var expected = written
                let kept = (written[segment] ?? [:]).keys.sorted().prefix(good)
                expected[segment] = written[segment]?.filter { kept.contains($0.key) }
                let all = expected.values.reduce(into: [LSN: LogBatch]()) { $0.merge($1) { first, _ in first } }
                #expect(batches == all, "byte \(index) of segment \(segment)")
                #expect(!report.damages.isEmpty)
                #expect(report.damages[0].isTail == (segment == log.currentSegment))
                if segment < log.currentSegment { #expect(report.damages[0].before != nil, "the span is known") }
                let again = try WALFixture.replay(broken)
                #expect(again.batches == all, "a second replay gives the same")
            }
        }
    }

    @Test(
        "A loss of power takes the end of the log, and no piece out of its middle", arguments: 0..<50 as Range<UInt64>)
    func powerLoss(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let log = try open()
        try WALFixture.append(0..<Int.random(in: 5...40, using: &random), to: log)
        let (batches, report) = try WALFixture.replay(disk.losePower(using: &random))
        WALFixture.expect(batches, are: 0..<batches.count)
        #expect(report.damages.allSatisfy { $0.isTail })
    }

    @Test("Where no new segment can be begun the old one goes on, and nothing is refused")
    func noNewSegment() throws {
        let log = try open()
        for number in 0..<30 {
            if number < 25 { disk.failCall(0, of: .create) }
            _ = try log.append(WALFixture.batch(number))
            disk.failNoCall()
            if number < 25 { #expect(log.currentSegment == 0) }
        }
        #expect(log.currentSegment > 0)
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<30)
    }

    @Test("A segment whose last sync failed is not believed, however it was left")
    func failedSync() throws {
        let log = try open()
        disk.failSyncs(true)
        try WALFixture.append(0..<12, to: log)
        disk.failSyncs(false)
        #expect(log.currentSegment > 0)
        #expect(throws: StorageError.self) { try log.sync() }
        let segment = try log.cutSegment()
        try log.removeSegments(before: segment)
        try log.sync()
    }

    @Test("A long segment of an earlier version is read as before")
    func longSegment() throws {
        let log = try open { $0.samplesPerSeriesMax = .max }
        try WALFixture.append(0..<60, to: log)
        #expect(log.currentSegment == 0)
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<60)
        let next = try open(nextLSN: 61)
        try WALFixture.append(60..<90, to: next)
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<90)
    }
}

extension WALFixture {
    /// Whether the samples are those of the batches with these numbers, whatever else the log says in between.
    static func expectSamples(
        _ batches: [LSN: LogBatch], of numbers: some Sequence<Int>, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = batches.sorted { $0.key < $1.key }.map(\.value).filter { $0.count > 0 }
        #expect(
            found.map(\.timestamps) == numbers.map { batch($0).timestamps }.filter { !$0.isEmpty },
            sourceLocation: sourceLocation)
        #expect(
            found.map(\.values) == numbers.map { batch($0).values }.filter { !$0.isEmpty },
            sourceLocation: sourceLocation)
    }
}
