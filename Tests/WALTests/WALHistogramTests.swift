import ByteCoding
import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import WAL

@Suite("A batch record with histograms")
struct WALHistogramTests {
    private func payload(_ batch: LogBatch) -> [UInt8] {
        var encoder = BatchEncoder()
        var payload = ByteBuilder()
        encoder.encode(batch, into: &payload)
        return payload.bytes
    }

    private func random(_ seed: UInt64) -> LogBatch {
        var random = SeededRandom(seed: seed)
        var batch = LogBatch()
        var last: NativeHistogram?
        for slot in 0..<UInt32.random(in: 1...40, using: &random) {
            if Bool.random(using: &random) {
                batch.append(slot: slot, timestamp: 1_700_000_000_000, value: Double(slot) / 3)
            } else {
                let histogram = Histograms.next(after: last, using: &random)
                if histogram.isStale { continue }
                last = histogram
                batch.append(slot: slot, timestamp: 1_700_000_000_000 + Int64(slot % 3), histogram: histogram)
            }
        }
        return batch
    }

    @Test("comes back as it was, hints included, and leaves the values' table alone")
    func roundTrip() throws {
        var encoder = BatchEncoder()
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        for seed in UInt64(1)...60 {
            let batch = random(seed)
            var payload = ByteBuilder()
            encoder.encode(batch, into: &payload)
            try decoder.decode(payload.bytes, LogFormat.RecordType(of: batch), into: &decoded)
            #expect(decoded == batch, "seed \(seed)")
        }
    }

    @Test("keeps special values of every field")
    func special() throws {
        var batch = LogBatch()
        let sums = [Double.infinity, -.infinity, StaleMarker.ordinaryNaN, -0.0]
        for (index, sum) in sums.enumerated() {
            batch.append(
                slot: 0, timestamp: Int64(index),
                histogram: NativeHistogram(
                    counterResetHint: NativeHistogram.CounterResetHint.allCases[index], schema: Int32(index) * 4 - 4,
                    zeroThreshold: 0.1, zeroCount: Double(1 << 53), count: .greatestFiniteMagnitude, sum: sum,
                    positiveSpans: [.init(offset: .min, length: 0), .init(offset: 7, length: 2)],
                    positiveBuckets: [0.5, .nan]))
        }
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        try decoder.decode(payload(batch), .histogramBatch, into: &decoded)
        #expect(decoded == batch)
    }

    @Test("whose histogram part is cut short, missing, or points outside is refused")
    func malformed() {
        var batch = LogBatch()
        batch.append(slot: 0, timestamp: 1, value: 2)
        batch.append(slot: 1, timestamp: 1, histogram: Histograms.simple(3))
        let good = payload(batch)
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        for length in 0..<good.count {
            #expect(throws: ByteError.self, "\(length) bytes") {
                try decoder.decode(Array(good[..<length]), .histogramBatch, into: &decoded)
            }
        }
        #expect(throws: ByteError.self, "as a record without histograms") {
            try decoder.decode(good, .batch, into: &decoded)
        }
        #expect(throws: ByteError.self, "bytes behind the end") {
            try decoder.decode(good + [0], .histogramBatch, into: &decoded)
        }
        var floats = LogBatch()
        floats.append(slot: 0, timestamp: 1, value: 2)
        #expect(throws: ByteError.self, "no histogram") {
            try decoder.decode(payload(floats) + [0], .histogramBatch, into: &decoded)
        }
        // The row of the first histogram stands behind their number.
        guard let place = good.indices.first(where: { good[$0...].starts(with: [1, 1, 0b100]) }) else {
            Issue.record("the histogram was not found")
            return
        }
        for (offset, byte, what) in [(1, 2, "row 2 of 2"), (2, 8, "flags"), (3, 0x12, "schema 9")] {
            var bad = good
            bad[place + offset] = UInt8(byte)
            #expect(throws: ByteError.self, "\(what)") { try decoder.decode(bad, .histogramBatch, into: &decoded) }
        }
    }

    @Test("never traps, whichever byte is changed, and gives only valid histograms")
    func fuzz() {
        var random = SeededRandom(seed: 4)
        for seed in UInt64(1)...4 {
            let good = payload(self.random(seed))
            for _ in 0..<1500 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                var decoder = BatchDecoder()
                var batch = LogBatch()
                guard (try? decoder.decode(bytes, .histogramBatch, into: &batch)) != nil else { continue }
                #expect(batch.histogramRows.count == batch.histograms.count)
                for histogram in batch.histograms { #expect((try? histogram.validate()) != nil) }
            }
        }
    }
}

/// The second example of `docs/formats/wal.md`, byte for byte.
@Suite("The log, version 1, with histograms")
struct WALHistogramGoldenTests {
    private static let frame =
        "1548d9464d0000000100000000000000040000004d0000000200010b085f5f6e616d655f5f016801010e085f5f6e616d655f5f046c6f"
        + "61640200020180a0abfef9628006e03f01000402000000000000e03f000000000000f83f0c01020102060108030600"

    private var batch: LogBatch {
        var batch = LogBatch()
        batch.newSeries = [
            LogBatch.NewSeries(slot: 0, generation: 1, labels: ["__name__": "h"]),
            LogBatch.NewSeries(slot: 1, generation: 1, labels: ["__name__": "load"]),
        ]
        batch.append(
            slot: 0, timestamp: 1_700_000_000_000,
            histogram: NativeHistogram(
                schema: 1, zeroThreshold: 0.5, zeroCount: 1, count: 12, sum: 1.5,
                positiveSpans: [.init(offset: -1, length: 2), .init(offset: 3, length: 1)],
                positiveBuckets: [4, 2, 5]))
        batch.append(slot: 1, timestamp: 1_700_000_000_000, value: 0.5)
        return batch
    }

    @Test("is written as its page says")
    func write() throws {
        let disk = SimulatedFileSystem()
        let log = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        _ = try log.append(batch)
        #expect(disk.bytes("/wal/00000000").map { Hex.text(Array($0[40...])) } == WALHistogramGoldenTests.frame)
    }

    @Test("is read as its page says")
    func read() throws {
        let disk = SimulatedFileSystem()
        _ = try LogWriter(fileSystem: disk, directory: "/wal", nextLSN: 1)
        let header = try #require(disk.bytes("/wal/00000000"))
        disk.put("/wal/00000000", Array(header) + Hex.bytes(WALHistogramGoldenTests.frame))
        var batches: [LogBatch] = []
        let report = try LogReplay.replay(fileSystem: disk, directory: "/wal") { batches.append($1) }
        #expect(batches == [batch])
        #expect(report.samples == 2)
        #expect(report.damages.isEmpty)
    }
}
