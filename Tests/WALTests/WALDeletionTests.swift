import ByteCoding
import SeriesModel
import TestSupport
import Testing

@testable import WAL

@Suite("A record of deletions")
struct WALDeletionTests {
    private func batch(_ deletions: [LogBatch.Deletion]) -> LogBatch {
        var batch = LogBatch()
        batch.deletions = deletions
        return batch
    }

    private func payload(_ batch: LogBatch) -> [UInt8] {
        var encoder = BatchEncoder()
        var payload = ByteBuilder()
        encoder.encode(batch, into: &payload)
        return payload.bytes
    }

    private func random(_ seed: UInt64) -> LogBatch {
        var random = SeededRandom(seed: seed)
        return batch(
            (0..<Int.random(in: 1...20, using: &random)).map { _ in
                let ends = (0..<2).map { _ in Timestamp.random(in: .min ... .max, using: &random) }.sorted()
                return LogBatch.Deletion(
                    slot: UInt32.random(in: 0..<LogFormat.slotLimit, using: &random),
                    generation: UInt32.random(in: 0...UInt32.max, using: &random),
                    range: TimeRange(min: ends[0], max: ends[1]))
            })
    }

    @Test("comes back as it was, the ends of the scale included")
    func roundTrip() throws {
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        let ends = batch([.init(slot: 7, generation: 0, range: .all), .init(slot: 0, generation: 1, range: .all)])
        for batch in [ends] + (UInt64(1)...100).map(random) {
            try decoder.decode(payload(batch), .deletions, into: &decoded)
            #expect(decoded == batch)
        }
    }

    @Test("leaves the values' table alone, when it is written and when it is taken back")
    func table() throws {
        var encoder = BatchEncoder()
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        for number in 0..<20 {
            var lost = ByteBuilder()
            encoder.encode(random(UInt64(number) + 1), into: &lost)
            if number % 2 == 0 { encoder.undo() }
            var payload = ByteBuilder()
            encoder.encode(WALFixture.batch(number), into: &payload)
            try decoder.decode(payload.bytes, into: &decoded)
            #expect(decoded == WALFixture.batch(number))
        }
    }

    @Test(
        "that no encoder writes is refused",
        arguments: [
            ([], "no count"), ([0], "no deletion"), ([2, 0, 0, 0, 0], "more deletions than bytes"),
            ([1, 1, 0, 0, 0], "a negative slot"), ([1, 0, 0, 0, 0, 0], "bytes behind the end"),
            ([1, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], "an end before its start"),
            ([1, 0x80, 0x80, 0x80, 0x40, 0, 0, 0], "a slot beyond the limit"),
            ([1, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0], "a generation of 33 bits"),
        ] as [([UInt8], String)])
    func malformed(payload: [UInt8], what: String) {
        var decoder = BatchDecoder()
        var batch = LogBatch()
        #expect(throws: ByteError.self, "\(what)") { try decoder.decode(payload, .deletions, into: &batch) }
    }

    @Test("never traps, whichever byte is changed, and gives only spans that have a length")
    func fuzz() {
        var random = SeededRandom(seed: 9)
        for seed in UInt64(1)...10 {
            let good = payload(self.random(seed))
            for _ in 0..<500 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                var decoder = BatchDecoder()
                var batch = LogBatch()
                guard (try? decoder.decode(bytes, .deletions, into: &batch)) != nil else { continue }
                #expect(batch.deletions.allSatisfy { $0.range.min <= $0.range.max && $0.slot < LogFormat.slotLimit })
            }
        }
    }

    @Test("is replayed in its place between batches, and stands in checkpoints too")
    func replay() throws {
        let disk = SimulatedFileSystem()
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1)
        let records = [WALFixture.batch(0), random(1), WALFixture.batch(1), random(2), WALFixture.batch(2)]
        for record in records { _ = try log.append(record) }
        var found: [LogBatch] = []
        var report = try LogReplay.replay(fileSystem: disk, directory: WALFixture.directory) { found.append($1) }
        #expect(found == records)
        #expect(report.damages.isEmpty && report.lastLSN == 5)
        let segment = try log.cutSegment()
        var writer = try CheckpointWriter(
            fileSystem: disk, directory: WALFixture.directory, lsn: 5, firstSegment: segment)
        for record in records { try writer.add(record) }
        _ = try writer.finish()
        try log.removeSegments(before: segment)
        found = []
        report = try LogReplay.replay(fileSystem: disk, directory: WALFixture.directory) { found.append($1) }
        #expect(found == records)
        #expect(report.checkpointLSN == 5)
    }
}

/// The third example of `docs/formats/wal.md`, byte for byte.
@Suite("The log, version 1, with deletions")
struct WALDeletionGoldenTests {
    private static let frame =
        "cb05e2260f0000000100000000000000020000000f00000002000180a0abfef962987502010000"

    private var batch: LogBatch {
        var batch = LogBatch()
        batch.deletions = [
            .init(slot: 0, generation: 1, range: TimeRange(min: 1_700_000_000_000, max: 1_700_000_015_000)),
            .init(slot: 1, generation: 1, range: TimeRange(min: 1_700_000_000_000, max: 1_700_000_000_000)),
        ]
        return batch
    }

    @Test("is written as its page says")
    func write() throws {
        let disk = SimulatedFileSystem()
        let log = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        _ = try log.append(batch)
        #expect(disk.bytes("/wal/00000000").map { Hex.text(Array($0[40...])) } == WALDeletionGoldenTests.frame)
    }

    @Test("is read as its page says")
    func read() throws {
        let disk = SimulatedFileSystem()
        _ = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        let header = try #require(disk.bytes("/wal/00000000"))
        disk.put("/wal/00000000", Array(header) + Hex.bytes(WALDeletionGoldenTests.frame))
        var batches: [LogBatch] = []
        let report = try LogReplay.replay(fileSystem: disk, directory: "/wal") { batches.append($1) }
        #expect(batches == [batch])
        #expect(report.damages.isEmpty)
    }
}
