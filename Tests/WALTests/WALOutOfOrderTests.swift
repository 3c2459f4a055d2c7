import ByteCoding
import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import WAL

@Suite("Batches with rows out of order in the log")
struct WALOutOfOrderTests {
    /// The example of `docs/formats/wal.md`.
    private var batch: LogBatch {
        var batch = LogBatch()
        batch.append(slot: 0, timestamp: 1_700_000_000_000, value: 1)
        batch.noteOutOfOrder()
        batch.append(slot: 0, timestamp: 1_699_999_985_000, value: 1)
        batch.append(slot: 1, timestamp: 1_700_000_000_000, value: 0.5)
        batch.noteOutOfOrder()
        batch.append(slot: 1, timestamp: 1_699_999_985_000, value: 0.5)
        return batch
    }

    private func encoded(_ batch: LogBatch) -> [UInt8] {
        var encoder = BatchEncoder()
        var payload = ByteBuilder()
        encoder.encode(batch, into: &payload)
        return payload.bytes
    }

    private func decoded(_ payload: [UInt8], _ type: LogFormat.RecordType) throws -> LogBatch {
        var decoder = BatchDecoder()
        var batch = LogBatch()
        try decoder.decode(payload, type, into: &batch)
        return batch
    }

    @Test("A record of type 6 is these bytes")
    func golden() throws {
        #expect(LogFormat.RecordType(of: batch) == .outOfOrderBatch)
        #expect(Hex.text(encoded(batch)) == "0004000002000080a0abfef962afea01b0ea01afea0106800680f03fe03f020101")
        #expect(try decoded(encoded(batch), .outOfOrderBatch) == batch)
    }

    @Test("A record of type 7 has the rows out of order behind the histograms")
    func histograms() throws {
        var batch = batch
        batch.noteOutOfOrder()
        batch.append(slot: 2, timestamp: 1_699_999_985_000, histogram: Histograms.simple(2))
        #expect(LogFormat.RecordType(of: batch) == .outOfOrderHistogramBatch)
        let payload = encoded(batch)
        #expect(Hex.text(payload.suffix(4)) == "03010100")
        #expect(try decoded(payload, .outOfOrderHistogramBatch) == batch)
    }

    @Test("Rows that are none, too many or twice, and records that are cut, are errors")
    func damaged() throws {
        let payload = encoded(batch)
        for count in 0..<payload.count {
            #expect(throws: ByteError.self) { try decoded(Array(payload[..<count]), .outOfOrderBatch) }
        }
        let columns = encoded(batch).dropLast(3)
        for rows: [UInt8] in [
            [0], [4, 1, 0, 0, 0], [1, 4], [2, 3, 0], [5, 0, 0, 0, 0, 0], [1, 0xFF, 0xFF, 0x7F], [1, 1, 0],
        ] {
            #expect(throws: ByteError.self) { try decoded(columns + rows, .outOfOrderBatch) }
        }
    }

    @Test("A changed byte is an error or another batch, never a trap")
    func flipped() throws {
        let payload = encoded(batch)
        for index in payload.indices {
            for bit in 0..<8 {
                var damaged = payload
                damaged[index] ^= 1 << UInt8(bit)
                _ = try? decoded(damaged, .outOfOrderBatch)
            }
        }
    }
}
