import ByteCoding
import SeriesModel
import TestSupport
import Testing

@testable import ChunkEncoding

/// Encodes as Prometheus 3 does, for tests of the decoders.
private struct StartTimeChunk {
    private struct Starts {
        var known = false
        var changesFrom = 0
        var last: Timestamp = 0
        var difference: Int64 = 0

        mutating func write(
            _ start: Timestamp, _ index: Int, at time: Timestamp, behind: Timestamp, to writer: inout BitWriter
        ) {
            if index == 0 {
                known = start != 0
                if known { writer.writeVarint(Varint.zigzag(time - start)) }
            } else if changesFrom > 0 {
                writer.writeVarbit(behind - start - difference)
                difference = behind - start
            } else if start != last || index == 127 {
                changesFrom = index
                difference = behind - start
                writer.writeVarbit(difference)
            }
            last = start
        }

        var header: UInt8 { (known ? 0x80 : 0) | UInt8(changesFrom) }
    }

    static func bits(_ body: (inout BitWriter) -> Void) -> [UInt8] {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16_384) { room in
            guard let base = room.baseAddress else { return [] }
            var writer = BitWriter(target: base)
            body(&writer)
            var bytes = [UInt8](UnsafeRawBufferPointer(start: base, count: (writer.target - base) * 8))
            for index in 0..<((Int(writer.used) + 7) / 8) {
                bytes.append(UInt8(truncatingIfNeeded: writer.word >> UInt64(56 - 8 * index)))
            }
            return bytes
        }
    }

    static func floats(_ rows: [(time: Timestamp, value: Double, start: Timestamp)]) -> [UInt8] {
        var starts = Starts()
        let payload = bits { writer in
            var values = Values()
            var delta: Int64 = 0
            for (index, row) in rows.enumerated() {
                let before = index == 0 ? 0 : rows[index - 1].time
                if index == 0 {
                    writer.writeVarint(Varint.zigzag(row.time))
                    writer.write(row.value.bitPattern, 64)
                    if !StaleMarker.isStale(row.value) { values.last = row.value.bitPattern }
                } else {
                    let change = row.time - before - delta
                    delta = row.time - before
                    if index == 1 {
                        writer.writeVarint(UInt64(delta))
                        values.write(row.value, to: &writer)
                    } else {
                        values.write(row.value, change, to: &writer)
                    }
                }
                starts.write(row.start, index, at: row.time, behind: before, to: &writer)
            }
        }
        return [UInt8(rows.count >> 8), UInt8(rows.count & 255), starts.header] + payload
    }

    private struct Values {
        var last: UInt64 = 0
        var window: (leading: Int, trailing: Int)?

        mutating func write(_ value: Double, _ change: Int64, to writer: inout BitWriter) {
            if change == 0 {
                if StaleMarker.isStale(value) { return writer.write(0b11111, 5) }
                if value.bitPattern == last { return writer.write(0, 1) }
                writer.write(0b10, 2)
                return writeSignificant(value, reuse: (0, 1), new: (1, 1), to: &writer)
            }
            let bits = UInt64(bitPattern: change)
            switch change {
            case -4096...4095: writer.write(0b110 << 13 | bits & 0x1FFF, 16)
            case -524_288...524_287: writer.write(0b1110 << 20 | bits & 0xFFFFF, 24)
            default:
                writer.write(0b11110, 5)
                writer.write(bits, 64)
            }
            write(value, to: &writer)
        }

        mutating func write(_ value: Double, to writer: inout BitWriter) {
            if StaleMarker.isStale(value) { return writer.write(0b111, 3) }
            if value.bitPattern == last { return writer.write(0, 1) }
            writeSignificant(value, reuse: (0b10, 2), new: (0b110, 3), to: &writer)
        }

        private mutating func writeSignificant(
            _ value: Double, reuse: (UInt64, UInt64), new: (UInt64, UInt64), to writer: inout BitWriter
        ) {
            let xor = value.bitPattern ^ last
            last = value.bitPattern
            let leading = min(xor.leadingZeroBitCount, 31)
            let trailing = xor.trailingZeroBitCount
            if let window, leading >= window.leading, trailing >= window.trailing {
                writer.write(reuse.0, reuse.1)
                writer.write(xor >> UInt64(window.trailing), UInt64(64 - window.leading - window.trailing))
                return
            }
            window = (leading, trailing)
            writer.write(new.0, new.1)
            writer.write(UInt64(leading) << 6 | UInt64(64 - leading - trailing) & 63, 11)
            writer.write(xor >> UInt64(trailing), UInt64(64 - leading - trailing))
        }
    }

    /// Histograms of one layout.
    static func histograms(
        _ rows: [(time: Timestamp, histogram: NativeHistogram, start: Timestamp)], _ encoding: ChunkEncoding,
        _ header: CounterResetHeader
    ) -> [UInt8] {
        var starts = Starts()
        let payload = bits { writer in
            HistogramLayout(of: rows[0].histogram).write(to: &writer)
            writer.writeVarbit(rows[0].time)
            var whole = encoding == .histogram ? WholeFields(rows[0].histogram, to: &writer) : nil
            var doubles = encoding == .histogram ? nil : DoubleFields(rows[0].histogram, to: &writer)
            starts.write(rows[0].start, 0, at: rows[0].time, behind: 0, to: &writer)
            var delta: Int64 = 0
            for index in rows.indices.dropFirst() {
                let step = rows[index].time - rows[index - 1].time
                writer.writeVarbit(step - delta)
                delta = step
                whole?.write(rows[index].histogram, to: &writer)
                doubles?.write(rows[index].histogram, to: &writer)
                starts.write(rows[index].start, index, at: rows[index].time, behind: rows[index - 1].time, to: &writer)
            }
        }
        return [header.rawValue | UInt8(rows.count >> 8), UInt8(rows.count & 255), starts.header] + payload
    }
}

@Suite("Chunks with start timestamps")
struct StartTimeEncodingTests {
    private func decode(
        _ bytes: [UInt8], _ encoding: StartTimeEncoding, _ range: TimeRange = .all
    ) throws -> SampleBuffer {
        var buffer = SampleBuffer()
        let failure = bytes.withUnsafeBytes { bytes -> ChunkError? in
            do throws(ChunkError) {
                try encoding.decode(bytes, into: &buffer, range: range)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return buffer
    }

    private func floats(_ count: Int, hasStarts: Bool, seed: UInt64) -> [(
        time: Timestamp, value: Double, start: Timestamp
    )] {
        var random = SeededRandom(seed: seed)
        var time: Timestamp = 1_700_000_000_000
        var start: Timestamp = hasStarts && random.chance(70) ? time - 999 : 0
        return (0..<count).map { _ in
            time += random.pick([15_000, 15_000, 15_000, 15_003, 9_000, 700_000, 1 << 40])
            if hasStarts, random.chance(10) { start = time - 5 }
            let value = random.pick([1, 1, 1, 2.5, Double(time), StaleMarker.value, .infinity, StaleMarker.ordinaryNaN])
            return (time, value, start)
        }
    }

    @Test("give floats and starts to the last bit", arguments: Seeds.fixed(20))
    func floats(seed: UInt64) throws {
        for (count, hasStarts) in [(1, true), (2, true), (3, false), (120, false), (120, true), (400, true)] {
            let rows = floats(count, hasStarts: hasStarts, seed: seed)
            let buffer = try decode(StartTimeChunk.floats(rows), .xor)
            #expect(buffer.timestamps == rows.map(\.time), "seed \(seed)")
            #expect(buffer.values.map(\.bitPattern) == rows.map(\.value.bitPattern), "seed \(seed)")
            let starts = buffer.startTimestamps.isEmpty ? rows.map { _ in 0 } : buffer.startTimestamps
            #expect(starts == rows.map(\.start), "seed \(seed)")
        }
    }

    @Test("give what lies within a range")
    func range() throws {
        let rows = floats(100, hasStarts: true, seed: 3)
        let range = TimeRange(min: rows[20].time, max: rows[70].time)
        let buffer = try decode(StartTimeChunk.floats(rows), .xor, range)
        #expect(buffer.timestamps == rows[20...70].map(\.time))
        #expect(buffer.startTimestamps == rows[20...70].map(\.start))
    }

    @Test("are read where the bytes were written by upstream's encoder")
    func layout() throws {
        // Two samples, 1 at 1000 and 1 at 2000: header, zigzag 2000, the double, delta 1000, a zero bit.
        let plain: [UInt8] = [0, 2, 0, 0xD0, 0x0F, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xE8, 0x07, 0]
        let buffer = try decode(plain, .xor)
        #expect(buffer.timestamps == [1000, 2000])
        #expect(buffer.values == [1, 1])
        #expect(buffer.startTimestamps.isEmpty)
    }

    @Test("give histograms and starts", arguments: [ChunkEncoding.histogram, .floatHistogram])
    func histograms(encoding: ChunkEncoding) throws {
        for (count, start) in [(1, 500), (1, 0), (5, 500), (130, 0), (130, 77)] as [(Int, Timestamp)] {
            let rows = (0..<count).map { index in
                (
                    time: Timestamp(1000 + index * 100), histogram: Histograms.simple(index + 1),
                    start: index > 100 ? Timestamp(index) : start
                )
            }
            let bytes = StartTimeChunk.histograms(rows, encoding, .reset)
            let buffer = try decode(bytes, encoding == .histogram ? .histogram : .floatHistogram)
            #expect(buffer.mixed == rows.map { MixedSample($0.time, $0.histogram) })
            let starts = buffer.histogramStartTimestamps.isEmpty ? rows.map { _ in 0 } : buffer.histogramStartTimestamps
            #expect(starts == rows.map(\.start))
        }
    }

    @Test("never trap, whatever the bytes", arguments: StartTimeEncoding.allCases)
    func damage(encoding: StartTimeEncoding) {
        let histograms = (0..<20).map {
            (time: Timestamp($0 + 1), histogram: Histograms.simple($0), start: Timestamp($0))
        }
        let bytes =
            switch encoding {
            case .xor: StartTimeChunk.floats(floats(20, hasStarts: true, seed: 5))
            case .histogram: StartTimeChunk.histograms(histograms, .histogram, .gauge)
            case .floatHistogram: StartTimeChunk.histograms(histograms, .floatHistogram, .gauge)
            }
        for index in bytes.indices {
            _ = try? decode(Array(bytes[..<index]), encoding)
            for mask: UInt8 in [0x01, 0x10, 0x80, 0xFF] {
                var changed = bytes
                changed[index] ^= mask
                _ = try? decode(changed, encoding)
            }
        }
    }
}
