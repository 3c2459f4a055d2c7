import ByteCoding
import Testing

@Suite("Bits")
struct BitTests {
    /// Writes fields and reads them back, from the bytes of the full words and the pending one.
    private func roundTrip(_ fields: [(bits: UInt64, count: UInt64)]) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: fields.count + 8)
        let writtenBits = fields.reduce(0) { $0 + Int($1.count) }
        words.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            var writer = BitWriter(target: base)
            for field in fields { writer.write(field.bits, field.count) }
            #expect((writer.target - base) * 64 + Int(writer.used) == writtenBits)
            writer.target.pointee = writer.word.bigEndian
        }
        return words.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            var reader = BitReader(base)
            let read = fields.map { reader.readWide(Int($0.count)) }
            #expect(reader.position == writtenBits)
            return read
        }
    }

    @Test("of every width come back at every position in the word")
    func widths() {
        for shift in 1...64 {
            for count in 1...64 {
                let mask = UInt64.max >> UInt64(64 - count)
                let fields: [(bits: UInt64, count: UInt64)] = [
                    (UInt64.max >> UInt64(64 - shift), UInt64(shift)), (0x5DEE_CE66_D123_4567 & mask, UInt64(count)),
                    (1, 1), (0, 3),
                ]
                #expect(roundTrip(fields) == fields.map(\.bits), "width \(count) after \(shift) bits")
            }
        }
    }

    @Test("hold varints as bytes would")
    func varints() {
        for value in [0, 1, 127, 128, 1_700_000_000_000, UInt64.max] {
            var words = [UInt64](repeating: 0, count: 16)
            words.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                var writer = BitWriter(target: base)
                writer.write(1, 1)
                writer.writeVarint(value)
                writer.target.pointee = writer.word.bigEndian
            }
            let read = words.withUnsafeBytes { bytes -> UInt64? in
                guard let base = bytes.baseAddress else { return nil }
                var reader = BitReader(base, position: 1)
                return reader.readVarint()
            }
            #expect(read == value)
        }
    }
}
