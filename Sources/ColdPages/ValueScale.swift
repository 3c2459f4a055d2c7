import ByteCoding
import CBitPacking

#if canImport(Glibc)
    import Glibc
#endif

/// What one in a page's numbers is worth.
enum ValueScale: Hashable {
    /// 10^-digits, 0 to 22: both number and power are exact doubles, so their quotient is what a decimal text means.
    case decimal(digits: Int)
    /// The bits of the double as a number.
    case bits
    /// 2^exponent.
    case binary(exponent: Int)

    static let digitsMax = 22
    private static let bitsCode: UInt8 = 23
    private static let binaryCode: UInt8 = 24
    private static let exponents = -1074...971

    static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    func write(into bytes: inout [UInt8]) {
        switch self {
        case .decimal(let digits): bytes.append(UInt8(digits))
        case .bits: bytes.append(ValueScale.bitsCode)
        case .binary(let exponent):
            bytes.append(ValueScale.binaryCode)
            Varint.append(Varint.zigzag(Int64(exponent)), to: &bytes)
        }
    }

    init(_ cursor: inout ByteCursor) throws(ByteError) {
        let start = cursor.position
        let code = try cursor.byte()
        switch code {
        case 0...UInt8(ValueScale.digitsMax): self = .decimal(digits: Int(code))
        case ValueScale.bitsCode: self = .bits
        case ValueScale.binaryCode:
            guard let exponent = Int(exactly: try cursor.zigzag()), ValueScale.exponents.contains(exponent) else {
                throw .outOfBounds(offset: start, what: "exponent")
            }
            self = .binary(exponent: exponent)
        default: throw .outOfBounds(offset: start, what: "scale")
        }
    }

    /// Numbers to doubles, in place.
    func apply(_ numbers: UnsafeMutablePointer<Int64>, _ count: Int) {
        switch self {
        case .decimal(let digits):
            if digits == 0 {
                hearth_multiply(numbers, count, 1)
            } else {
                hearth_divide(numbers, count, ValueScale.powers[digits])
            }
        case .bits: break
        case .binary(let exponent): hearth_multiply(numbers, count, ValueScale.power(exponent))
        }
    }

    /// The number whose double has the very bits of `value`; nil if there is none.
    @inline(__always)
    static func decimalNumber(_ value: Double, _ power: Double) -> Int64? {
        let product = (value * power).rounded(.toNearestOrEven)
        // Comparisons with NaN are false.
        guard product > -0x1p53, product < 0x1p53 else { return nil }
        let number = Int64(product)
        return (Double(number) / power).bitPattern == value.bitPattern ? number : nil
    }

    static func binaryNumber(_ value: Double, _ exponent: Int, _ power: Double) -> Int64? {
        let quotient = scalbn(value, Int32(truncatingIfNeeded: -exponent))
        guard quotient > -0x1p62, quotient < 0x1p62 else { return nil }
        let number = Int64(quotient)
        return (Double(number) * power).bitPattern == value.bitPattern ? number : nil
    }

    /// 2^exponent, subnormal ones included.
    static func power(_ exponent: Int) -> Double { scalbn(1, Int32(truncatingIfNeeded: exponent)) }

    /// The fewest digits with which the value is a number.
    private static func digits(_ value: Double) -> Int? {
        for digits in 0...digitsMax where decimalNumber(value, powers[digits]) != nil { return digits }
        return nil
    }

    /// The digits to try: the most that a sample of the values needs; nil where most of them are no decimals.
    static func digits(_ values: UnsafeBufferPointer<Double>) -> Int? {
        let step = max(1, values.count / 24)
        var most = 0
        var found = 0
        var missed = 0
        for index in stride(from: 0, to: values.count, by: step) where values[index].isFinite {
            if let digits = digits(values[index]), digits < 17 {
                most = max(most, digits)
                found += 1
            } else {
                missed += 1
            }
        }
        return found > 0 && missed <= found ? most : nil
    }

    /// The most digits that one of the odd values needs, if it is a decimal at all.
    static func digits(_ values: UnsafeBufferPointer<Double>, odd: [UInt16]) -> Int? {
        var most: Int?
        for place in odd.prefix(64) where values[Int(place)].isFinite {
            if let digits = digits(values[Int(place)]), digits < 17 { most = max(most ?? 0, digits) }
        }
        return most
    }

    /// The exponent of the lowest bit that is set in any of the values.
    static func exponent(_ values: UnsafeBufferPointer<Double>) -> Int? {
        var least = Int.max
        for value in values where value.isFinite && value != 0 {
            let significand = value.significandBitPattern
            let top = Int(max(1, value.exponentBitPattern)) - 1075
            let whole = value.isNormal ? significand | 1 << 52 : significand
            least = min(least, top + whole.trailingZeroBitCount)
        }
        return least == .max ? nil : least
    }
}
