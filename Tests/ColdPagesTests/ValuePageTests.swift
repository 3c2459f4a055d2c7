import ColdPages
import TestSupport
import Testing

@Suite("A page of values")
struct ValuePageTests {
    private func expectBack(_ values: [Double], base: [Double]? = nil, _ comment: Comment) throws {
        let page = PageFixture.encode(values, base: base).bytes
        #expect(try PageFixture.decode(page, values.count, base: base) == values.map(\.bitPattern), comment)
    }

    @Test("gives back values of many shapes to the last bit", arguments: PageFixture.Shape.allCases)
    func shapes(shape: PageFixture.Shape) throws {
        for seed in UInt64(0)..<12 {
            var random = SeededRandom(seed: seed)
            let values = PageFixture.values(shape, 1 + random.below(1024), &random)
            try expectBack(values, "seed \(seed)")
        }
    }

    @Test("may hold any number of samples from 1 to 1,024")
    func counts() throws {
        var random = SeededRandom(seed: 3)
        for count in 1...1024 {
            let shape = PageFixture.Shape.allCases[count % PageFixture.Shape.allCases.count]
            try expectBack(PageFixture.values(shape, count, &random), "\(count) samples")
        }
    }

    @Test("is decoded only with a count that a page can have", arguments: [0, -1, 1025, .max, .min])
    func wrongCount(count: Int) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 1) { values in
            [UInt8](repeating: 0, count: 4).withUnsafeBytes { bytes in
                guard let address = values.baseAddress else { return }
                #expect(throws: ColdPageError.count(count)) {
                    try ValuePage.decode(bytes, count: count, base: nil, into: address)
                }
            }
        }
    }

    @Test("of odd values among a few numbers is small")
    func staleMarkers() throws {
        var values = (0..<240).map { Double($0 * 3) }
        values[100] = Double(bitPattern: 0x7FF0_0000_0000_0002)
        #expect(PageFixture.encode(values).bytes.count < 20)
        try expectBack(values, "a stale marker")
        values[0] = -0.0
        try expectBack(values, "-0 first")
        values = [.nan] + [Double](repeating: 7, count: 12) + [.infinity]
        try expectBack(values, "odd at both ends")
    }

    // MARK: - Choice

    @Test("takes the encoding that suits a typical shape")
    func choice() throws {
        var random = SeededRandom(seed: 12)
        let shapes: [(PageFixture.Shape, ValueEncoding, Double)] = [
            (.constant, .constant, 0.1), (.counter, .packed, 6.5), (.quadratic, .packed, 0.5),
            (.seldomChanging, .entropy, 1), (.fullPrecision, .packed, 57), (.anyBits, .packed, 64.5),
            (.gaugeOfCents, .packed, 9),
        ]
        for (shape, encoding, bits) in shapes {
            let values = PageFixture.values(shape, 1024, &random)
            let page = PageFixture.encode(values)
            #expect(page.encoding == encoding, "\(shape)")
            #expect(Double(page.bytes.count * 8) <= bits * 1024, "\(shape): \(page.bytes.count) bytes")
        }
    }

    @Test("is never much larger than the bits of its values", arguments: PageFixture.Shape.allCases)
    func bound(shape: PageFixture.Shape) {
        var random = SeededRandom(seed: 8)
        for count in [1, 2, 3, 5, 9, 64, 1000] {
            let values = PageFixture.values(shape, count, &random)
            #expect(PageFixture.encode(values).bytes.count <= 8 * count + 24)
        }
    }

    // MARK: - Bases

    @Test("may be the difference to another page, and needs that one's values then")
    func base() throws {
        var random = SeededRandom(seed: 2)
        let base = PageFixture.values(.counter, 500, &random)
        let values = base.map { $0 + Double(random.below(2)) }
        let page = PageFixture.encode(values, base: base).bytes
        #expect(page.withUnsafeBytes { ValuePage.needsBase($0) })
        #expect(page.count < PageFixture.encode(values).bytes.count / 3)
        #expect(try PageFixture.decode(page, 500, base: base) == values.map(\.bitPattern))
        #expect(throws: ColdPageError.noBase) { try PageFixture.decode(page, 500) }
        #expect(throws: ColdPageError.noBase) { try PageFixture.decode(page, 500, base: Array(base.dropLast())) }
    }

    @Test("does without a base that does not help, or has another length")
    func uselessBase() throws {
        var random = SeededRandom(seed: 2)
        let values = PageFixture.values(.seldomChanging, 500, &random)
        let other = PageFixture.values(.counter, 500, &random)
        for base in [other, Array(values.dropLast())] {
            let page = PageFixture.encode(values, base: base).bytes
            #expect(!page.withUnsafeBytes { ValuePage.needsBase($0) })
            #expect(try PageFixture.decode(page, 500) == values.map(\.bitPattern))
        }
        #expect(![UInt8]().withUnsafeBytes { ValuePage.needsBase($0) })
    }

    @Test("comes back with a base of any shape", arguments: PageFixture.Shape.allCases)
    func anyBase(shape: PageFixture.Shape) throws {
        var random = SeededRandom(seed: 21)
        for own in PageFixture.Shape.allCases {
            let count = 1 + random.below(1024)
            let base = PageFixture.values(shape, count, &random)
            try expectBack(PageFixture.values(own, count, &random), base: base, "\(own)")
            try expectBack(base.map { ($0 + 1).rounded() }, base: base, "a little above")
        }
    }

    // MARK: - Damage

    @Test("that is damaged gives an error or values, never a trap", arguments: PageFixture.Shape.allCases)
    func damage(shape: PageFixture.Shape) {
        var random = SeededRandom(seed: 9)
        let base = [Double](repeating: .nan, count: 200)
        let page = PageFixture.encode(PageFixture.values(shape, 200, &random)).bytes
        for place in page.indices {
            for flip in [UInt8(1), 8, 128, 255] {
                var changed = page
                changed[place] ^= flip
                _ = try? PageFixture.decode(changed, 200, base: base)
            }
        }
        for length in page.indices { _ = try? PageFixture.decode(Array(page[..<length]), 200, base: base) }
    }

    @Test("of any bytes gives an error or values, never a trap (seed 31)")
    func wild() {
        var random = SeededRandom(seed: 31)
        for _ in 0..<20_000 {
            var bytes = (0..<random.below(120)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Most would be refused by their first two bytes.
            if !bytes.isEmpty { bytes[0] &= 0x7F }
            if bytes.count > 1 { bytes[1] %= 25 }
            let count = 1 + random.below(1024)
            _ = try? PageFixture.decode(bytes, count, base: PageFixture.odd + [Double](repeating: 1, count: 1024))
        }
    }

    @Test("with bytes behind its end is refused")
    func trailing() throws {
        let page = PageFixture.encode([1, 2, 4, 8]).bytes
        #expect(throws: ColdPageError.trailing(offset: page.count)) { try PageFixture.decode(page + [0], 4) }
    }
}
