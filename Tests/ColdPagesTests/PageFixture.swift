import ColdPages
import TestSupport

/// Pages of arrays, and columns of the shapes that metrics have.
enum PageFixture {
    static func encode(_ values: [Double], base: [Double]? = nil) -> (bytes: [UInt8], encoding: ValueEncoding) {
        var scratch = ValuePageScratch()
        var bytes: [UInt8] = []
        let encoding = values.withUnsafeBufferPointer { values in
            guard let base else { return ValuePage.encode(values: values, base: nil, scratch: &scratch, into: &bytes) }
            return base.withUnsafeBufferPointer {
                ValuePage.encode(values: values, base: $0, scratch: &scratch, into: &bytes)
            }
        }
        return (bytes, encoding)
    }

    /// The bits of the values. The page and the room for them are exactly as large as they must be.
    static func decode(_ bytes: [UInt8], _ count: Int, base: [Double]? = nil) throws(ColdPageError) -> [UInt64] {
        try decode(bytes, count, zero: 0.0) { (page, values) throws(ColdPageError) in
            guard let base else { return try ValuePage.decode(page, count: count, base: nil, into: values) }
            let buffer = UnsafeMutableBufferPointer<Double>.allocate(capacity: base.count)
            defer { buffer.deallocate() }
            _ = buffer.initialize(from: base)
            try ValuePage.decode(page, count: count, base: UnsafeBufferPointer(buffer), into: values)
        }.map(\.bitPattern)
    }

    static func encode(times: [Int64]) -> [UInt8] {
        var scratch = ValuePageScratch()
        var bytes: [UInt8] = []
        times.withUnsafeBufferPointer { TimestampColumn.encode($0, scratch: &scratch, into: &bytes) }
        return bytes
    }

    static func decodeTimes(_ bytes: [UInt8], _ count: Int) throws(ColdPageError) -> [Int64] {
        try decode(bytes, count, zero: 0) { (page, times) throws(ColdPageError) in
            try TimestampColumn.decode(page, count: count, into: times)
        }
    }

    static func encode(list: [UInt32]) -> [UInt8] {
        var scratch = ValuePageScratch()
        var bytes: [UInt8] = []
        list.withUnsafeBufferPointer { PackedIntegers.encode($0, scratch: &scratch, into: &bytes) }
        return bytes
    }

    static func decodeList(_ bytes: [UInt8], atMost limit: Int) throws(ColdPageError) -> [UInt32] {
        let page = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { page.deallocate() }
        page.copyBytes(from: bytes)
        var list: [UInt32] = []
        try PackedIntegers.decode(UnsafeRawBufferPointer(page), atMost: limit, into: &list)
        return list
    }

    private static func decode<Value>(
        _ bytes: [UInt8], _ count: Int, zero: Value,
        _ body: (UnsafeRawBufferPointer, UnsafeMutablePointer<Value>) throws(ColdPageError) -> Void
    ) throws(ColdPageError) -> [Value] {
        let page = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        let values = UnsafeMutablePointer<Value>.allocate(capacity: count)
        values.initialize(repeating: zero, count: count)
        defer {
            page.deallocate()
            values.deallocate()
        }
        page.copyBytes(from: bytes)
        try body(UnsafeRawBufferPointer(page), values)
        return Array(UnsafeBufferPointer(start: values, count: count))
    }

    // MARK: - Shapes

    enum Shape: CaseIterable {
        case constant, counter, gaugeOfCents, memory, fullPrecision, anyBits, seldomChanging, resets, stale, oddOnly
        case thousandths, subnormal, quadratic, fractions
    }

    /// Stale markers, NaNs with payloads, infinities, and numbers at the ends of what a double holds.
    static let odd: [Double] = [
        -0.0, .infinity, -.infinity, .nan, Double(bitPattern: 0x7FF0_0000_0000_0002),
        Double(bitPattern: 0xFFF8_DEAD_BEEF_0001), .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0,
    ]

    static func values(_ shape: Shape, _ count: Int, _ random: inout SeededRandom) -> [Double] {
        var value = Double(random.below(100_000))
        return (0..<count).map { index in
            switch shape {
            case .constant: break
            case .counter: value += Double(random.below(60))
            case .gaugeOfCents: value = ((value * 100).rounded() + Double(random.below(200))) / 100
            case .memory: value += (Double(random.below(65)) - 32) * 4096
            case .fullPrecision: value += Double(random.next() >> 11) * 0x1p-53 * 10
            case .anyBits: value = Double(bitPattern: random.next())
            case .seldomChanging: value += random.chance(10) ? 1 : 0
            case .resets: if random.below(200) == 0 { value = 0 } else { value += Double(random.below(5)) }
            case .stale: return random.below(20) == 0 ? random.pick(odd) : Double(random.below(7))
            case .oddOnly: return random.pick(odd)
            case .thousandths: return Double(Int64(random.below(1 << 62))) * 1e-3
            case .subnormal: return Double(random.below(100_000)) * 0x1p-1074
            case .quadratic: value = Double(index * index * 3 + 17)
            case .fractions: return (Double(random.below(20_000)) - 10_000) / 10_000
            }
            return value
        }
    }
}
