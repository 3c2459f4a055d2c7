import ByteCoding
import SeriesModel
import TestSupport
import Testing

@testable import WAL

@Suite("A record of exemplars")
struct WALExemplarTests {
    private func batch(_ rows: [SeriesExemplar]) -> LogBatch {
        var batch = LogBatch()
        batch.exemplars = rows
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
                SeriesExemplar(
                    series: ["__name__": "h_bucket", "le": "\(Int.random(in: 0...4, using: &random))"],
                    exemplar: Exemplar(
                        labels: Bool.random(using: &random)
                            ? .empty : ["trace_id": "\(UInt64.random(in: 0...UInt64.max, using: &random))"],
                        value: Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random)),
                        timestamp: Timestamp.random(in: .min ... .max, using: &random)))
            })
    }

    @Test("comes back as it was, the ends of the scale and every bit of the values included")
    func roundTrip() throws {
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        for batch in (UInt64(1)...200).map(random) {
            try decoder.decode(payload(batch), .exemplars, into: &decoded)
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
            ([], "no count"), ([0], "no exemplar"),
            ([2, 0, 4, 1, 97, 1, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "more exemplars than bytes"),
            ([1, 1, 4, 1, 97, 1, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "a series before the first"),
            ([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "a series without labels"),
            ([1, 0, 4, 1, 97, 1, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "bytes behind the end"),
            ([1, 0, 4, 1, 97, 1, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 97], "labels that end early"),
            ([1, 0, 8, 1, 98, 1, 98, 1, 97, 1, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "labels out of order"),
        ] as [([UInt8], String)])
    func malformed(payload: [UInt8], what: String) {
        var decoder = BatchDecoder()
        var batch = LogBatch()
        #expect(throws: ByteError.self, "\(what)") { try decoder.decode(payload, .exemplars, into: &batch) }
    }

    @Test("never traps, whichever byte is changed, and gives only series with labels")
    func fuzz() {
        var random = SeededRandom(seed: 9)
        for seed in UInt64(1)...10 {
            let good = payload(self.random(seed))
            for _ in 0..<500 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
                var decoder = BatchDecoder()
                var batch = LogBatch()
                guard (try? decoder.decode(bytes, .exemplars, into: &batch)) != nil else { continue }
                #expect(!batch.exemplars.isEmpty && batch.exemplars.allSatisfy { !$0.series.isEmpty })
                #expect(batch.exemplars.allSatisfy { $0.exemplar.labels.count >= 0 })
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

    @Test("counts as several samples towards the next checkpoint: a log of nothing else is cut too")
    func length() throws {
        let log = try LogWriter(fileSystem: SimulatedFileSystem(), directory: WALFixture.directory, nextLSN: 1)
        let record = random(1)
        _ = try log.append(record)
        #expect(log.tailSampleCount == 8 * record.exemplars.count)
    }

    @Test("gives nothing wrong in a segment or a checkpoint with a flipped byte, and the damage is told")
    func flippedFiles() throws {
        let good = SimulatedFileSystem()
        let log = try LogWriter(fileSystem: good, directory: WALFixture.directory, nextLSN: 1)
        let records = [random(3), random(4), random(5)]
        for record in records { _ = try log.append(record) }
        var writer = try CheckpointWriter(fileSystem: good, directory: WALFixture.directory, lsn: 3, firstSegment: 1)
        for record in records { try writer.add(record) }
        _ = try writer.finish()
        for name in try good.list(WALFixture.directory) {
            let path = WALFixture.directory + "/" + name
            let bytes = try #require(good.bytes(path))
            // Bytes behind the header's checksum are not used.
            for index in bytes.indices where !(36..<40).contains(index) {
                var flipped = bytes
                flipped[index] ^= 0x04
                let disk = SimulatedFileSystem()
                try disk.createDirectory(WALFixture.directory)
                disk.put(path, flipped)
                var found: [LogBatch] = []
                let report = try LogReplay.replay(
                    fileSystem: disk, directory: WALFixture.directory, repair: false
                ) { found.append($1) }
                #expect(found == records.filter(found.contains), "\(name), byte \(index)")
                #expect(!report.damages.isEmpty, "\(name), byte \(index)")
            }
        }
    }
}

/// The example of exemplars of `docs/formats/wal.md`, byte for byte.
@Suite("The log, version 1, with exemplars")
struct WALExemplarGoldenTests {
    private static let frame =
        "d460a5684f0000000100000000000000050000004f000000020019085f5f6e616d655f5f08685f6275636b6574026c650331"
        + "2e3080a0abfef962000000000000e03f0d0874726163655f6964036162630002000000000000e83f0c0874726163655f6964026465"

    private var batch: LogBatch {
        let series: LabelSet = ["__name__": "h_bucket", "le": "1.0"]
        var batch = LogBatch()
        batch.exemplars = [
            SeriesExemplar(
                series: series,
                exemplar: Exemplar(labels: ["trace_id": "abc"], value: 0.5, timestamp: 1_700_000_000_000)),
            SeriesExemplar(
                series: series,
                exemplar: Exemplar(labels: ["trace_id": "de"], value: 0.75, timestamp: 1_700_000_000_001)),
        ]
        return batch
    }

    @Test("is written as its page says")
    func write() throws {
        let disk = SimulatedFileSystem()
        let log = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        _ = try log.append(batch)
        #expect(disk.bytes("/wal/00000000").map { Hex.text(Array($0[40...])) } == WALExemplarGoldenTests.frame)
    }

    @Test("is read as its page says")
    func read() throws {
        let (batches, damages) = try replay(Hex.bytes(WALExemplarGoldenTests.frame))
        #expect(batches == [batch])
        #expect(damages == 0)
    }

    @Test("is read right or not at all, whichever of its bytes is flipped")
    func flips() throws {
        let frame = Hex.bytes(WALExemplarGoldenTests.frame)
        for index in frame.indices {
            var bytes = frame
            bytes[index] ^= 0x10
            let (batches, damages) = try replay(bytes)
            #expect(batches.isEmpty && damages == 1, "byte \(index)")
        }
    }

    @Test("is not read where it is torn, wherever that is, and what stands before it is")
    func torn() throws {
        let frame = Hex.bytes(WALExemplarGoldenTests.frame)
        for count in 1..<frame.count {
            let (batches, damages) = try replay(Array(frame.prefix(count)))
            #expect(batches.isEmpty && damages == 1, "\(count) bytes")
        }
    }

    private func replay(_ frame: [UInt8]) throws -> (batches: [LogBatch], damages: Int) {
        let disk = SimulatedFileSystem()
        _ = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        let header = try #require(disk.bytes("/wal/00000000"))
        disk.put("/wal/00000000", Array(header) + frame)
        var batches: [LogBatch] = []
        let report = try LogReplay.replay(fileSystem: disk, directory: "/wal") { batches.append($1) }
        return (batches, report.damages.count)
    }
}
