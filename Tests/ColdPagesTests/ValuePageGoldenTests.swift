import ColdPages
import TestSupport
import Testing

/// The examples of `docs/formats/cold-pages.md`. Such pages must be readable for ever.
@Suite("A page of values, byte for byte")
struct ValuePageGoldenTests {
    struct Example: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var values: [Double]
        var base: [Double]?
        var encoding = ValueEncoding.packed
        var bytes: String

        init(
            _ description: String, _ values: [Double], base: [Double]? = nil, encoding: ValueEncoding = .packed,
            _ bytes: String
        ) {
            testDescription = description
            self.values = values
            self.base = base
            self.encoding = encoding
            self.bytes = bytes
        }
    }

    private static let stale = Double(bitPattern: 0x7FF0_0000_0000_0002)

    static let examples: [Example] = [
        Example("constant", [1.5, 1.5, 1.5], encoding: .constant, "003ff8"),
        Example("whole numbers", [3, 9, 1, 12, 7, 2, 15, 6], "01000605196d2e1b5986"),
        Example("differences", [1000, 1015, 1030, 1046, 1060, 1075, 1090, 1106], "1100d00f021aeae9"),
        Example("differences of differences", squares, "61002203020004"),
        Example("multiples", [4096, 16384, 8192, 4096, 20480], "41008040802003053377"),
        Example("decimals", [0.25, 0.5, 0.31, 0.27], "010232063bde4d82"),
        Example("a stale marker", [5, 6, stale, 8, 9, 11], "19000a0201da0e010002"),
        Example(
            "odd values", [5, 6, .infinity, 8, -0.0, 11], "09000a030191c803020222000000000000f07f0000000000000080"),
        Example(
            "an exception", withException, "0100008200e4e4e0e4e4e401150980841e"),
        Example("binary fractions", [1 + 0x1p-40, 1 + 0x3p-40, 1, 1 + 0x7p-40], "01184f828080808040040fa8e7"),
        Example(
            "bits", [.pi, -1e300, 2.0.squareRoot() * 1e-200],
            "6117b0b4a1c4eafe9089800104bdb787b1f6dba7f42000f8b5f4b2c6b7d5822d"),
        Example("a base", [1010, 2021, 3030, 4041], base: [1000, 2011, 3020, 4030], "0500140203ea"),
        Example(
            "tokens and an exception",
            skewed, encoding: .entropy,
            "1200008050090027009c0017c918f08aac5fa2da80c00d5a9f828951138e81667185aadd5f17000001153c80841e"),
        Example(
            "tokens and low bits", spread, encoding: .entropy,
            "12000008d60f020018bf811ef6866d37716f516c120048440000222291006fde4dbc2b9a0978e756c534a31281f05fce3dac1b8af968d746b5"
                + "249302"),
    ]

    private static let squares: [Double] = (0..<8).map { (index: Int) in Double(index * index * 3 + 17) }
    private static let withException: [Double] = (0..<24).map { (index: Int) in
        index == 9 ? 1_000_000 : Double(index % 4)
    }
    private static let skewed: [Double] = sums(
        (0..<100).map { (index: Int) in
            let steps: [Double] = [0, 40, 0, 47, 0, 44, 0, 0, 41, 0, 43]
            return index == 60 ? 1_000_000 : steps[index * index % 11]
        })
    private static let spread: [Double] = sums(
        (0..<100).map { (index: Int) in index % 3 == 1 ? 1000 + Double(index * 37 % 256) : 0 })

    private static func sums(_ steps: [Double]) -> [Double] {
        var sum = 0.0
        return steps.map { step in
            sum += step
            return sum
        }
    }

    @Test("is written so", arguments: examples)
    func write(example: Example) {
        let page = PageFixture.encode(example.values, base: example.base)
        #expect(Hex.text(page.bytes) == example.bytes)
        #expect(page.encoding == example.encoding)
    }

    @Test("is read so", arguments: examples)
    func read(example: Example) throws {
        let values = try PageFixture.decode(Hex.bytes(example.bytes), example.values.count, base: example.base)
        #expect(values == example.values.map(\.bitPattern))
    }

    /// What stores a page has a checksum: here only traps are looked for.
    @Test("with any byte changed, or cut short anywhere, gives values or an error", arguments: examples)
    func damage(example: Example) {
        let good = Hex.bytes(example.bytes)
        for place in good.indices {
            for flip in UInt8(1)...255 {
                var changed = good
                changed[place] ^= flip
                _ = try? PageFixture.decode(changed, example.values.count, base: example.base)
            }
            let short = Array(good[..<place])
            if let values = try? PageFixture.decode(short, example.values.count, base: example.base) {
                #expect(example.encoding == .constant && values.count == example.values.count)
            }
        }
    }
}

/// The other examples of `docs/formats/cold-pages.md`.
@Suite("Columns of timestamps and lists, byte for byte")
struct ColumnGoldenTests {
    private let times: [Int64] = [1_700_000_000_000, 1_700_000_015_001, 1_700_000_030_000, 1_700_000_044_999]
    private let timeBytes = "1180a0abfef96203a6ea013609"
    private let shortList: [UInt32] = [3, 4, 7]
    private let shortBytes = "03030103"
    private let longList: [UInt32] = (0..<14).map { $0 * 2 + ($0 > 9 ? 1 : 0) }
    private let longBytes = "0e11000200aaaaba0a"

    @Test("are written and read so")
    func golden() throws {
        #expect(Hex.text(PageFixture.encode(times: times)) == timeBytes)
        #expect(try PageFixture.decodeTimes(Hex.bytes(timeBytes), 4) == times)
        for (list, bytes) in [(shortList, shortBytes), (longList, longBytes)] {
            #expect(Hex.text(PageFixture.encode(list: list)) == bytes)
            #expect(try PageFixture.decodeList(Hex.bytes(bytes), atMost: list.count) == list)
        }
    }

    @Test("with any byte changed give numbers or an error")
    func damage() {
        for bytes in [timeBytes, shortBytes, longBytes].map(Hex.bytes) {
            for place in bytes.indices {
                for flip in UInt8(1)...255 {
                    var changed = bytes
                    changed[place] ^= flip
                    _ = try? PageFixture.decodeTimes(changed, 4)
                    _ = try? PageFixture.decodeList(changed, atMost: 20)
                }
            }
        }
    }
}
