import ByteCoding
import Testing

@testable import ColdPages

@Suite struct RoundTripTests {
    struct Random {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        mutating func below(_ limit: UInt64) -> UInt64 { next() % limit }
    }

    static func series(_ shape: Int, _ count: Int, _ random: inout Random) -> [Double] {
        var value = Double(random.below(100_000))
        let odd: [Double] = [
            -0.0, .infinity, -.infinity, .nan, Double(bitPattern: 0x7ff0_0000_0000_0002),
            Double(bitPattern: 0xfff8_dead_beef_0001), .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0,
        ]
        return (0..<count).map { index in
            switch shape {
            case 0: break
            case 1: value += Double(random.below(60))
            case 2: value = ((value * 100).rounded() + Double(random.below(200))) / 100
            case 3: value += (Double(random.below(65)) - 32) * 4096
            case 4: value += Double(random.next() >> 11) * 0x1p-53 * 10
            case 5: value = Double(bitPattern: random.next())
            case 6: value += random.below(10) == 0 ? 1 : 0
            case 7: if random.below(200) == 0 { value = 0 } else { value += Double(random.below(5)) }
            case 8: return random.below(20) == 0 ? odd[Int(random.below(9))] : Double(random.below(7))
            case 9: return odd[Int(random.below(9))]
            case 10: return Double(Int64(random.below(1 << 62))) * 1e-3
            case 11: return Double(random.below(100_000)) * 0x1p-1074
            case 12: value = Double(index * index * 3 + 17)
            default: return (Double(random.below(20_000)) - 10_000) / 10_000
            }
            return value
        }
    }

    @Test("random series of many shapes come back to the last bit")
    func values() throws {
        var random = Random(state: 7)
        var scratch = ValuePageScratch()
        for round in 0..<600 {
            let count =
                round % 3 == 0
                ? Int(random.below(1024)) + 1 : [1, 2, 3, 4, 7, 8, 9, 63, 64, 65, 1023, 1024][round % 12]
            let values = Self.series(round % 14, count, &random)
            let base = round % 2 == 0 ? Self.series(round / 14 % 14, count, &random) : nil
            var page: [UInt8] = []
            let decoded = UnsafeMutablePointer<Double>.allocate(capacity: count)
            defer { decoded.deallocate() }
            try values.withUnsafeBufferPointer { values in
                try (base ?? []).withUnsafeBufferPointer { buffer in
                    let base = base == nil ? nil : buffer
                    ValuePage.encode(values: values, base: base, scratch: &scratch, into: &page)
                    try page.withUnsafeBytes { bytes throws in
                        try ValuePage.decode(bytes, count: count, base: base, into: decoded)
                    }
                }
            }
            // The fallback of the encoder is for its own mistakes: here is none.
            #expect(
                round % 14 == 5 || round % 14 == 9 || page.count < 8 * count + 5 || count < 8,
                "round \(round): \(page.count)")
            for index in 0..<count {
                #expect(values[index].bitPattern == decoded[index].bitPattern, "round \(round) sample \(index)")
            }
        }
    }

    @Test("damaged and random pages give an error or values, never a trap")
    func damage() {
        var random = Random(state: 9)
        var scratch = ValuePageScratch()
        let decoded = UnsafeMutablePointer<Double>.allocate(capacity: 1024)
        let base = UnsafeMutableBufferPointer<Double>.allocate(capacity: 1024)
        base.initialize(repeating: .nan)
        defer {
            decoded.deallocate()
            base.deallocate()
        }
        for shape in 0..<14 {
            let values = Self.series(shape, 200, &random)
            var page: [UInt8] = []
            values.withUnsafeBufferPointer {
                _ = ValuePage.encode(values: $0, base: nil, scratch: &scratch, into: &page)
            }
            for place in page.indices {
                for bit in [UInt8(1), 8, 128, 255] {
                    var torn = page
                    torn[place] ^= bit
                    torn.withUnsafeBytes {
                        try? ValuePage.decode($0, count: 200, base: UnsafeBufferPointer(base), into: decoded)
                    }
                }
            }
        }
        for _ in 0..<40_000 {
            var bytes = (0..<Int(random.below(120))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if !bytes.isEmpty { bytes[0] &= 0x7F }
            if bytes.count > 1 { bytes[1] %= 25 }
            let count = Int(random.below(1026))
            bytes.withUnsafeBytes { bytes in
                try? ValuePage.decode(bytes, count: count, base: UnsafeBufferPointer(base), into: decoded)
            }
        }
    }

    @Test("timestamps and postings come back")
    func integers() throws {
        var random = Random(state: 11)
        var scratch = ValuePageScratch()
        for round in 0..<120 {
            let count = Int(random.below(1024)) + 1
            var time: Int64 = 1_700_000_000_000
            let times = (0..<count).map { _ -> Int64 in
                time += 15_000 + Int64(random.below(7)) - 3
                return round % 4 == 0 ? Int64(bitPattern: random.next()) : time
            }
            var bytes: [UInt8] = []
            times.withUnsafeBufferPointer { TimestampColumn.encode($0, scratch: &scratch, into: &bytes) }
            let decoded = UnsafeMutablePointer<Int64>.allocate(capacity: count)
            defer { decoded.deallocate() }
            try bytes.withUnsafeBytes { try TimestampColumn.decode($0, count: count, into: decoded) }
            #expect(Array(UnsafeBufferPointer(start: decoded, count: count)) == times)
            var posting: UInt32 = 0
            let list = (0..<Int(random.below(round % 5 == 0 ? 14 : 5000))).map { _ -> UInt32 in
                posting += 1 + UInt32(random.below(round % 3 == 0 ? 2 : 300))
                return posting
            }
            bytes = []
            list.withUnsafeBufferPointer { PackedIntegers.encode($0, scratch: &scratch, into: &bytes) }
            var again: [UInt32] = []
            try bytes.withUnsafeBytes { try PackedIntegers.decode($0, atMost: list.count, into: &again) }
            #expect(again == list)
        }
    }
}
