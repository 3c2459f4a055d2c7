import ColdPages
import TestSupport
import Testing

@Suite("A column of timestamps")
struct TimestampColumnTests {
    @Test("is regular if all steps are equal")
    func regular() {
        func step(_ times: [Int64]) -> Int64? { times.withUnsafeBufferPointer { TimestampColumn.regularStep($0) } }
        #expect(step([]) == nil)
        #expect(step([7]) == 0)
        #expect(step([7, 7]) == 0)
        #expect(step([7, 22]) == 15)
        #expect(step([7, 22, 37]) == 15)
        #expect(step([7, 22, 38]) == nil)
        #expect(step([7, 22, 37, 37]) == nil)
        #expect(step([.min, .max]) == nil)
        #expect(step([-1, .max]) == nil)
        #expect(step([.min, -1, .max - 1]) == .max)
        #expect(step((0..<1024).map { $0 * 15_000 }) == 15_000)
        #expect(step((0..<1023).map { $0 * 15_000 } + [15_345_001]) == nil)
    }

    @Test("comes back, whatever its steps are")
    func roundTrip() throws {
        for seed in UInt64(0)..<60 {
            var random = SeededRandom(seed: seed)
            let count = 1 + random.below(1024)
            var time: Int64 = 1_700_000_000_000
            let times = (0..<count).map { _ -> Int64 in
                switch seed % 5 {
                case 0: return Int64(bitPattern: random.next())
                case 1: time += 15_000
                case 2: time += 15_000 + Int64(random.below(7)) - 3
                case 3: time += random.chance(2) ? 600_000 : 15_000
                default: time += Int64(random.below(3_600_000))
                }
                return time
            }
            let bytes = PageFixture.encode(times: times)
            #expect(try PageFixture.decodeTimes(bytes, count) == times, "seed \(seed)")
        }
    }

    @Test("of a few ms of jitter takes about its bits")
    func jitter() {
        var random = SeededRandom(seed: 4)
        let times = (0..<1024).map { 1_700_000_000_000 + $0 * 15_000 + Int64(random.below(7)) }
        #expect(PageFixture.encode(times: times).count * 8 < 1024 * 5)
    }

    @Test("with a base, odd values or bytes behind its end is refused")
    func refused() throws {
        let bytes = PageFixture.encode(times: [5, 20, 36])
        for flag in [UInt8(4), 8, 0x80] {
            var changed = bytes
            changed[0] |= flag
            #expect(throws: ColdPageError.self) { try PageFixture.decodeTimes(changed, 3) }
        }
        #expect(throws: ColdPageError.trailing(offset: bytes.count)) { try PageFixture.decodeTimes(bytes + [9], 3) }
        #expect(throws: ColdPageError.self) { try PageFixture.decodeTimes([0, 1], 3) }
        for length in bytes.indices {
            #expect(throws: ColdPageError.self) { try PageFixture.decodeTimes(Array(bytes[..<length]), 3) }
        }
    }

    @Test("of any bytes gives an error or timestamps, never a trap (seed 5)")
    func wild() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<10_000 {
            var bytes = (0..<random.below(80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if !bytes.isEmpty { bytes[0] &= 0x73 }
            _ = try? PageFixture.decodeTimes(bytes, 1 + random.below(1024))
        }
    }
}
