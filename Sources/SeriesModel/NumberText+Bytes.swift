import CNumberText

/// The same texts, written behind what an answer holds already: no string is made on the way.
extension NumberText {
    /// Appends `apiValue(value)`.
    package static func appendAPIValue(_ value: Double, to bytes: inout [UInt8]) {
        if appendWhole(value, to: &bytes) { return }
        let magnitude = abs(value)
        if magnitude >= 1e-6, magnitude < wholeMax {
            append(to: &bytes) { hearth_number_fixed(value, $0, $1) }
        } else {
            bytes.append(contentsOf: apiValue(value).utf8)
        }
    }

    /// Appends a whole number.
    package static func append(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(value.magnitude, to: &bytes)
    }

    /// 2^53: from here on not every whole number is a double.
    private static let wholeMax = 9_007_199_254_740_992.0

    /// Counters and sizes are whole: their digits are found without the general algorithm.
    private static func appendWhole(_ value: Double, to bytes: inout [UInt8]) -> Bool {
        guard abs(value) < wholeMax, let whole = Int64(exactly: value) else { return false }
        if whole == 0, value.sign == .minus { return false }
        append(whole, to: &bytes)
        return true
    }

    private static func appendDigits(_ value: UInt64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var index = 20
            var rest = value
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                index -= 1
                digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            } while rest != 0
            bytes.append(contentsOf: digits[index...])
        }
    }

    private static func append(to bytes: inout [UInt8], _ write: (UnsafeMutablePointer<CChar>, Int) -> Int) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 720) { chars in
            guard let base = chars.baseAddress else { return }
            let count = min(write(base, chars.count), chars.count)
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: base, count: count))
        }
    }
}
