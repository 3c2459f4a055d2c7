import SeriesModel

extension BodyScanner {
    /// Reads the plain decimal number at `position` that ends at white space, a newline or the body's end, and moves
    /// behind it. Nil, without moving, for everything that is not exact this way: special values, long mantissas,
    /// large exponents, bad numbers.
    ///
    /// A mantissa up to 2^53 and a power of ten up to 10^22 are both exact doubles, so that one multiplication or
    /// division rounds once, correctly (Clinger 1990, "How to read floating point numbers accurately").
    @inline(__always)
    mutating func fastNumber() -> Double? {
        var index = position
        var isNegative = false
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") {
            isNegative = true
            index &+= 1
        }
        var mantissa: UInt64 = 0
        let digitsStart = index
        while index < bytes.count, ByteClass.isDigit(bytes[index]) {
            mantissa = mantissa &* 10 &+ UInt64(bytes[index] &- 0x30)
            index &+= 1
        }
        var digits = index &- digitsStart
        var exponent = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            let fractionStart = index &+ 1
            index = fractionStart
            while index < bytes.count, ByteClass.isDigit(bytes[index]) {
                mantissa = mantissa &* 10 &+ UInt64(bytes[index] &- 0x30)
                index &+= 1
            }
            exponent = fractionStart &- index
            digits &-= exponent
        }
        guard digits > 0, digits <= 19, mantissa <= 1 << 53 else { return nil }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            guard let (written, end) = smallExponent(index &+ 1) else { return nil }
            exponent &+= written
            index = end
        }
        guard index >= bytes.count || bytes[index] == 0x20 || bytes[index] == 0x0A || bytes[index] == 0x09 else {
            return nil
        }
        guard exponent >= -22, exponent <= 22 else { return nil }
        var value = Double(mantissa)
        if exponent < 0 {
            value /= PowerOfTen.exact(-exponent)
        } else if exponent > 0 {
            value *= PowerOfTen.exact(exponent)
        }
        position = index
        return isNegative ? -value : value
    }

    /// The digits of an exponent of at most three digits, and where they end.
    private func smallExponent(_ start: Int) -> (value: Int, end: Int)? {
        var index = start
        var isNegative = false
        if let sign = byte(index), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            index += 1
        }
        var value = 0
        let digitsStart = index
        while let digit = byte(index), ByteClass.isDigit(digit), index - digitsStart < 3 {
            value = value * 10 + Int(digit - 0x30)
            index += 1
        }
        return index > digitsStart ? (isNegative ? -value : value, index) : nil
    }

    /// Reads any number that Go's `ParseFloat` takes in a scrape: no hexadecimal floats, no underscores.
    @inline(never)
    func number(_ range: Range<Int>) throws(ExpositionError) -> Double {
        let text = UnsafeRawBufferPointer(rebasing: bytes[range.clamped(to: 0..<bytes.count)])
        if text.contains(where: { $0 | 0x20 == UInt8(ascii: "p") || $0 == UInt8(ascii: "_") }) {
            throw failure("unsupported character in float", upTo: range.upperBound)
        }
        if let value = NumberText.parse(text) { return value.isNaN ? StaleMarker.ordinaryNaN : value }
        let reason = isDecimalSyntax(text) ? "value out of range" : "invalid syntax"
        let hint =
            text.last == UInt8(ascii: "\r") ? " (the lines end in CR LF; the exposition formats want LF alone)" : ""
        throw failure("strconv.ParseFloat: parsing \(quote(range)): \(reason)" + hint, upTo: range.upperBound)
    }

    /// Whether a text that is no float is at least written as one, so that only its size can be wrong.
    private func isDecimalSyntax(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = text[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = rest.prefix(while: ByteClass.isDigit)
        rest = rest.dropFirst(whole.count)
        var digits = whole.count
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: ByteClass.isDigit)
            rest = rest.dropFirst(fraction.count + 1)
            digits += fraction.count
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            guard rest.first.map(ByteClass.isDigit) == true else { return false }
            rest = rest.drop(while: ByteClass.isDigit)
        }
        return digits > 0 && rest.isEmpty
    }
}

private enum PowerOfTen {
    /// - Precondition: `0 ≤ exponent ≤ 22`
    @inline(__always)
    static func exact(_ exponent: Int) -> Double {
        // A switch over constants: a global table would be checked for its first use at every number.
        switch exponent {
        case 0: 1
        case 1: 1e1
        case 2: 1e2
        case 3: 1e3
        case 4: 1e4
        case 5: 1e5
        case 6: 1e6
        case 7: 1e7
        case 8: 1e8
        case 9: 1e9
        case 10: 1e10
        case 11: 1e11
        case 12: 1e12
        case 13: 1e13
        case 14: 1e14
        case 15: 1e15
        case 16: 1e16
        case 17: 1e17
        case 18: 1e18
        case 19: 1e19
        case 20: 1e20
        case 21: 1e21
        default: 1e22
        }
    }
}
