import ByteCoding
import SeriesModel
import TestSupport
import Testing

@testable import WAL

@Suite("A batch record")
struct WALRecordTests {
    private func roundTrip(_ batches: [LogBatch]) throws -> [LogBatch] {
        var encoder = BatchEncoder()
        var decoder = BatchDecoder()
        return try batches.map { batch in
            var payload = ByteBuilder()
            encoder.encode(batch, into: &payload)
            var decoded = LogBatch()
            try decoder.decode(payload.bytes, LogFormat.RecordType(of: batch), into: &decoded)
            return decoded
        }
    }

    @Test("comes back as it was: series, slots, shared and own timestamps, every kind of value")
    func roundTrip() throws {
        var special = LogBatch()
        for (index, value) in [0, -0.0, 1, 0.1, .infinity, -.infinity, StaleMarker.value, StaleMarker.ordinaryNaN]
            .enumerated()
        {
            special.append(slot: UInt32(index * 1000), timestamp: -5, value: value)
        }
        special.append(slot: 0, timestamp: .max, value: 7)
        special.append(slot: 0xFFFF, timestamp: .min, value: 8)
        var announcing = LogBatch()
        announcing.newSeries = [
            LogBatch.NewSeries(slot: 3, generation: .max, labels: ["a": "b"]),
            LogBatch.NewSeries(slot: 0, generation: 0, labels: .empty),
        ]
        let batches = [special, LogBatch(), announcing, special] + (0..<20).map(WALFixture.batch)
        #expect(try roundTrip(batches) == batches)
    }

    @Test("costs about three bytes for a sample that repeats its series' value")
    func size() {
        var encoder = BatchEncoder()
        var batch = LogBatch()
        for slot in 0..<100 { batch.append(slot: UInt32(slot), timestamp: 1_700_000_000_000, value: 0.1) }
        var first = ByteBuilder()
        encoder.encode(batch, into: &first)
        var second = ByteBuilder()
        encoder.encode(batch, into: &second)
        #expect(second.count < 220)
        #expect(first.count > second.count + 600)
    }

    @Test("that was taken back leaves no trace in the next one")
    func undo() throws {
        var encoder = BatchEncoder()
        var decoder = BatchDecoder()
        var decoded = LogBatch()
        for number in 0..<30 {
            if number % 3 == 1 {
                var lost = ByteBuilder()
                encoder.encode(WALFixture.batch(number + 100), into: &lost)
                encoder.undo()
            }
            var payload = ByteBuilder()
            encoder.encode(WALFixture.batch(number), into: &payload)
            try decoder.decode(payload.bytes, into: &decoded)
            #expect(decoded == WALFixture.batch(number))
        }
    }

    @Test(
        "that no encoder writes is refused",
        arguments: [
            ([], "no counts"), ([0], "no number of samples"), ([0, 1], "no slots"),
            ([0, 0, 0], "bytes behind the end"),
            ([0x80, 0x80, 0x04, 0, 0, 0], "more series than bytes"), ([0, 0x7F, 0, 0], "more samples than bytes"),
            ([1, 1, 1, 5, 1], "labels cut short"), ([1, 1, 1, 3, 1, 0x61, 0, 0], "an empty label value"),
            ([1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 0, 0], "a slot beyond the limit"),
            ([0, 1, 1, 1, 0, 0x80], "a negative slot"), ([0, 1, 0, 2, 0, 0x80], "an unknown timestamp mode"),
            ([0, 1, 0, 1, 0, 0x70], "a value without its byte"), ([0, 1, 0, 1, 0, 0x45], "a value of minus one byte"),
            ([0, 1, 0, 1, 0, 0x44], "a value of no byte"),
        ] as [([UInt8], String)])
    func malformed(payload: [UInt8], what: String) {
        var decoder = BatchDecoder()
        var batch = LogBatch()
        #expect(throws: ByteError.self, "\(what)") { try decoder.decode(payload, into: &batch) }
    }

    @Test("with labels out of order or twice is refused")
    func labelOrder() {
        for packed: [UInt8] in [[1, 98, 1, 49, 1, 97, 1, 49], [1, 97, 1, 49, 1, 97, 1, 50]] {
            var payload = ByteBuilder()
            payload.append(contentsOf: [1, 1, 1])
            payload.appendSized(packed)
            payload.append(0)
            var decoder = BatchDecoder()
            var batch = LogBatch()
            #expect(throws: ByteError.self) { try decoder.decode(payload.bytes, into: &batch) }
        }
    }

    @Test("never traps, whatever its bytes (seed 1)")
    func fuzz() {
        var random = SeededRandom(seed: 1)
        var encoder = BatchEncoder()
        var payloads: [[UInt8]] = []
        for number in 0..<8 {
            var payload = ByteBuilder()
            encoder.encode(WALFixture.batch(number), into: &payload)
            payloads.append(payload.bytes)
        }
        for _ in 0..<4000 {
            guard var payload = payloads.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                payload[Int.random(in: payload.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { payload.removeLast(Int.random(in: 0..<payload.count, using: &random)) }
            var decoder = BatchDecoder()
            var batch = LogBatch()
            try? decoder.decode(payload, into: &batch)
            for series in batch.newSeries { _ = series.labels.description }
        }
    }
}
