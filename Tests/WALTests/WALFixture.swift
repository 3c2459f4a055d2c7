import FileIO
import SeriesModel
import StorageFiles
import TestSupport
import Testing

@testable import WAL

/// A log on a simulated disk, and what went into it.
struct WALFixture {
    static let directory = "/data/wal"

    /// Batch number n of a small, lively history: a new series now and then, shared and own timestamps, repeated slots.
    static func batch(_ number: Int) -> LogBatch {
        var random = SeededRandom(seed: UInt64(number))
        var batch = LogBatch()
        let seriesBefore = (number + 1) / 2
        if number % 2 == 0 {
            batch.newSeries.append(
                LogBatch.NewSeries(
                    slot: UInt32(number / 2), generation: UInt32(number),
                    labels: ["__name__": "requests_total", "path": "/\(number)"]))
        }
        let slots = seriesBefore + (number % 2 == 0 ? 1 : 0)
        let time = 1_700_000_000_000 + Int64(number) * 15_000
        for slot in 0..<slots {
            let jitter = number % 3 == 0 ? Int64.random(in: 0..<100, using: &random) : 0
            batch.append(slot: UInt32(slot), timestamp: time + jitter, value: Double(number * 10 + slot) / 4)
        }
        return batch
    }

    /// Appends batches `range`, whose numbers are their LSNs minus one.
    static func append(_ range: Range<Int>, to log: LogWriter) throws {
        for number in range {
            let lsn = try log.append(batch(number))
            #expect(lsn == LSN(number) + 1)
        }
    }

    static func replay(
        _ disk: SimulatedFileSystem, repair: Bool = true
    ) throws -> (batches: [LSN: LogBatch], report: ReplayReport) {
        var batches: [LSN: LogBatch] = [:]
        var last: LSN = 0
        let report = try LogReplay.replay(fileSystem: disk, directory: directory, repair: repair) { lsn, batch in
            #expect(lsn > last, "in order")
            last = lsn
            batches[lsn] = batch
        }
        return (batches, report)
    }

    static func segment(_ number: UInt64) -> String { FilePath.join(directory, LogFormat.segmentName(number)) }

    /// Whether exactly the batches with these numbers came back, each as it was.
    static func expect(
        _ batches: [LSN: LogBatch], are numbers: some Sequence<Int>, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(batches.keys.sorted() == numbers.map { LSN($0) + 1 }, comment, sourceLocation: sourceLocation)
        for (lsn, found) in batches {
            #expect(found == batch(Int(lsn) - 1), "record \(lsn)", sourceLocation: sourceLocation)
        }
    }

    /// Where each frame of a segment begins, and the end.
    static func frameOffsets(_ disk: SimulatedFileSystem, _ segment: UInt64) throws -> [Int] {
        var reader = try LogReader(fileSystem: disk, path: self.segment(segment), kind: .segment)
        var offsets = [reader.offset]
        while try reader.next() != nil { offsets.append(reader.offset) }
        return offsets
    }
}
