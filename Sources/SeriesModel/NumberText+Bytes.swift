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

    /// Bytes that `write` may use.
    package static let writtenMax = 32

    /// Writes `apiValue(value)` where it is short, as nearly all are.
    /// - Parameter target: `writtenMax` bytes.
    /// - Returns: the bytes written; nil for a value that takes more, or another form.
    package static func write(_ value: Double, to target: UnsafeMutablePointer<UInt8>) -> Int? {
        let magnitude = abs(value)
        guard magnitude < wholeMax else { return nil }
        if let whole = Int64(exactly: value), whole != 0 || value.sign == .plus { return write(whole, to: target) }
        guard magnitude >= 1e-6 else { return nil }
        return target.withMemoryRebound(to: CChar.self, capacity: writtenMax) { text in
            let count = hearth_number_fixed(value, text, writtenMax)
            return count > 0 ? Int(count) : nil
        }
    }

    /// Writes a whole number. - Parameter target: `writtenMax` bytes. - Returns: the bytes written.
    package static func write(_ value: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var rest = value.magnitude
        var count = value < 0 ? 1 : 0
        if value < 0 { target[0] = UInt8(ascii: "-") }
        var limit: UInt64 = 10
        var digits = 1
        while digits < 20, rest >= limit {
            digits += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        count += digits
        var index = count
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            index -= 1
            target[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest != 0
        return count
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
