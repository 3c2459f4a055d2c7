import ColdPages
import TestSupport
import Testing

@Suite("A list of series numbers")
struct PackedIntegersTests {
    private func list(_ count: Int, step: Int, _ random: inout SeededRandom) -> [UInt32] {
        var number: UInt32 = 0
        return (0..<count).map { _ in
            number += 1 + UInt32(random.below(step))
            return number
        }
    }

    @Test("comes back, short or long", arguments: [0, 1, 2, 11, 12, 13, 14, 1023, 1024, 1025, 2048, 2049, 5000])
    func roundTrip(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        for step in [1, 2, 300, 100_000] {
            let list = list(count, step: step, &random)
            let bytes = PageFixture.encode(list: list)
            #expect(try PageFixture.decodeList(bytes, atMost: count) == list)
            if count > 0 {
                #expect(throws: ColdPageError.self) { try PageFixture.decodeList(bytes, atMost: count - 1) }
            }
        }
    }

    @Test("may hold the least and the greatest number")
    func ends() throws {
        for list in [[0], [.max], [0, .max], Array(0..<20) + [.max]] as [[UInt32]] {
            #expect(try PageFixture.decodeList(PageFixture.encode(list: list), atMost: 100) == list)
        }
    }

    @Test("that does not ascend, or leaves 32 bits, is refused")
    func order() {
        // Two numbers: 5, and 0 more; 2^32 - 1, and 1 more; one of 2^32.
        for bytes in [[2, 5, 0], [2, 255, 255, 255, 255, 15, 1], [1, 128, 128, 128, 128, 16]] as [[UInt8]] {
            #expect(throws: ColdPageError.self) { try PageFixture.decodeList(bytes, atMost: 100) }
        }
        let long = PageFixture.encode(list: Array(0..<100))
        #expect(throws: ColdPageError.trailing(offset: long.count)) {
            try PageFixture.decodeList(long + [0], atMost: 100)
        }
    }

    @Test("that is damaged, or any bytes, gives an error or ascending numbers, never a trap (seed 6)")
    func damage() {
        var random = SeededRandom(seed: 6)
        func expectAscending(_ bytes: [UInt8]) {
            guard let found = try? PageFixture.decodeList(bytes, atMost: 4000) else { return }
            #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
        }
        for step in [1, 2, 40] {
            let bytes = PageFixture.encode(list: list(1100, step: step, &random))
            for place in bytes.indices {
                for flip in [UInt8(1), 128, 255] {
                    var changed = bytes
                    changed[place] ^= flip
                    expectAscending(changed)
                }
                expectAscending(Array(bytes[..<place]))
            }
        }
        for _ in 0..<10_000 {
            var bytes = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if bytes.count > 1 { (bytes[0], bytes[1]) = (bytes[0] & 0x7F, bytes[1] & 0x73) }
            expectAscending(bytes)
        }
    }
}
