import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import WAL

/// The example of `docs/formats/wal.md`, byte for byte. These files must be readable for ever: a change of the format is
/// a new version and a new golden file beside these.
@Suite("The log, version 1")
struct WALGoldenTests {
    private static let segment =
        "484541525448574c0100000001000000000000000000000001000000000000007cd9035a000000009229e40939000000010000000000"
        + "0000010000003900000002000114085f5f6e616d655f5f027570036a6f620361706901010e085f5f6e616d655f5f046c6f61640200"
        + "020180a0abfef9620606f03fe03f3e98b51e0f0000000200000000000000010000000f0000000002000200b08aadfef96202801608"
    private static let checkpoint =
        "484541525448574c010000000200000002000000000000000100000000000000b6ac33e200000000b40759d039000000020000000000"
        + "0000010000003900000002000114085f5f6e616d655f5f027570036a6f620361706901010e085f5f6e616d655f5f046c6f61640200"
        + "020180a0abfef9620606f03fe03f1f8fa9c90300000002000000000000000300000003000000010202"

    private var first: LogBatch {
        var batch = LogBatch()
        batch.newSeries = [
            LogBatch.NewSeries(slot: 0, generation: 1, labels: ["__name__": "up", "job": "api"]),
            LogBatch.NewSeries(slot: 1, generation: 1, labels: ["__name__": "load"]),
        ]
        batch.append(slot: 0, timestamp: 1_700_000_000_000, value: 1)
        batch.append(slot: 1, timestamp: 1_700_000_000_000, value: 0.5)
        return batch
    }

    private var second: LogBatch {
        var batch = LogBatch()
        batch.append(slot: 0, timestamp: 1_700_000_015_000, value: 1)
        batch.append(slot: 1, timestamp: 1_700_000_015_001, value: 0.75)
        return batch
    }

    @Test("is written as its page says")
    func write() throws {
        let disk = SimulatedFileSystem()
        let log = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        _ = try log.append(first)
        _ = try log.append(second)
        #expect(disk.bytes("/wal/00000000").map(Hex.text) == WALGoldenTests.segment)
        var writer = try CheckpointWriter(fileSystem: disk, directory: "/wal", lsn: 2, firstSegment: 1)
        try writer.add(first)
        _ = try writer.finish()
        #expect(disk.bytes("/wal/checkpoint-00000000000000000002").map(Hex.text) == WALGoldenTests.checkpoint)
    }

    @Test("is read as its page says")
    func read() throws {
        let disk = SimulatedFileSystem()
        disk.put("/wal/00000000", Hex.bytes(WALGoldenTests.segment))
        var batches: [LogBatch] = []
        let report = try LogReplay.replay(fileSystem: disk, directory: "/wal") { batches.append($1) }
        #expect(batches == [first, second])
        #expect(report.damages.isEmpty)
        disk.put("/wal/checkpoint-00000000000000000002", Hex.bytes(WALGoldenTests.checkpoint))
        batches = []
        #expect(try LogReplay.replay(fileSystem: disk, directory: "/wal") { batches.append($1) }.checkpointLSN == 2)
        #expect(batches == [first])
    }
}
