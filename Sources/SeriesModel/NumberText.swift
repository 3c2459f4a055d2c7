import CNumberText

/// Numbers as text, exactly as Go's `strconv` writes and reads them, because every client of the API was written
/// against that. The digits come from the C++ library's shortest-form algorithms.
package enum NumberText {
    /// The form of sample values in the API (inventory 1.1.9): `NaN`, `+Inf`, `-Inf`, exponent form where
    /// |v| < 1e-6 or ≥ 1e21, shortest digits that read back as the same value.
    package static func apiValue(_ value: Double) -> String {
        special(value, plusSign: true)
            ?? {
                let magnitude = abs(value)
                if magnitude != 0, magnitude < 1e-6 || magnitude >= 1e21 { return scientific(value) }
                return fixed(value)
            }()
    }

    /// Go's `FormatFloat(v, 'f', -1, 64)`: never an exponent.
    package static func fixed(_ value: Double) -> String {
        if let special = special(value, plusSign: true) { return special }
        // The library writes all digits of a large integer; Go writes the shortest ones and fills up with zeros.
        if abs(value) >= 9_007_199_254_740_992 { return expanded(scientific(value)) }
        return text { hearth_number_fixed(value, $0, $1) }
    }

    /// `-1.25e+03` as `-1250`.
    /// - Precondition: the exponent is not less than the number of digits behind the point.
    private static func expanded(_ scientific: String) -> String {
        let parts = scientific.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return scientific }
        let digits = parts[0].filter { $0 != "." && $0 != "-" }
        let zeros = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        return (parts[0].hasPrefix("-") ? "-" : "") + digits + zeros
    }

    /// Go's `FormatFloat(v, 'f', digits, 64)`.
    package static func fixed(_ value: Double, digits: Int) -> String {
        special(value, plusSign: true)
            ?? text { hearth_number_fixed_digits(value, Int32(clamping: min(max(digits, 0), 40)), $0, $1) }
    }

    /// Go's `FormatFloat(v, 'e', -1, 64)`.
    package static func scientific(_ value: Double) -> String {
        special(value, plusSign: true) ?? text { hearth_number_scientific(value, $0, $1) }
    }

    /// Go's `FormatFloat(v, 'e', digits, 64)`.
    package static func scientific(_ value: Double, digits: Int) -> String {
        special(value, plusSign: true)
            ?? text { hearth_number_scientific_digits(value, Int32(clamping: min(max(digits, 0), 40)), $0, $1) }
    }

    /// Go's `FormatFloat(v, 'g', -1, 64)`, and so `%v` of a float and numbers in expositions: exponent form where the
    /// decimal exponent is < -4 or ≥ 6.
    package static func general(_ value: Double) -> String {
        if let special = special(value, plusSign: true) { return special }
        let magnitude = abs(value)
        if magnitude != 0, magnitude < 1e-4 || magnitude >= 1e6 { return scientific(value) }
        return fixed(value)
    }

    /// The form of OpenMetrics, also of `le` and `quantile` labels: `general`, with `.0` where it would look like an
    /// integer.
    package static func openMetrics(_ value: Double) -> String {
        let text = general(value)
        return value.isFinite && !text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") })
            ? text + ".0" : text
    }

    /// Go's `ParseFloat`: decimal, `0x` hexadecimal with a `p` exponent, `_` not accepted, `inf`, `infinity` and
    /// `nan` in any case with an optional sign (none for nan). Nil where the whole text is not a number, or the
    /// magnitude overflows.
    package static func parse(_ text: String) -> Double? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    package static func parse(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard let first = bytes.first else { return nil }
        var rest = bytes[...]
        var isNegative = false
        if first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            isNegative = first == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        guard let lead = rest.first else { return nil }
        let magnitude: Double
        switch lead {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
            guard let value = parseMagnitude(UnsafeRawBufferPointer(rebasing: rest)) else { return nil }
            magnitude = value
        case UInt8(ascii: "i"), UInt8(ascii: "I"):
            guard equals(rest, "inf") || equals(rest, "infinity") else { return nil }
            magnitude = .infinity
        case UInt8(ascii: "n"), UInt8(ascii: "N"):
            guard rest.count == bytes.count, equals(rest, "nan") else { return nil }
            return StaleMarker.ordinaryNaN
        default: return nil
        }
        return isNegative ? -magnitude : magnitude
    }

    private static func parseMagnitude(_ bytes: UnsafeRawBufferPointer) -> Double? {
        var value = 0.0
        var rangeError: Int32 = 0
        let isHex = bytes.count > 2 && bytes[0] == UInt8(ascii: "0") && bytes[1] | 0x20 == UInt8(ascii: "x")
        let digits = isHex ? UnsafeRawBufferPointer(rebasing: bytes[2...]) : bytes
        guard let base = digits.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
        if isHex {
            // Go wants the exponent of a hexadecimal float; without it the text is an integer, not a float.
            guard digits.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }) else { return nil }
            guard digits.first != UInt8(ascii: "-") else { return nil }
            guard hearth_number_parse_hex(base, digits.count, &value, &rangeError) == digits.count else { return nil }
        } else {
            guard hearth_number_parse(base, digits.count, &value, &rangeError) == digits.count else { return nil }
        }
        return rangeError != 0 && value.isInfinite ? nil : value
    }

    private static func equals(_ bytes: Slice<UnsafeRawBufferPointer>, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            bytes.count == word.count && zip(bytes, word).allSatisfy { $0 | 0x20 == $1 }
        }
    }

    private static func special(_ value: Double, plusSign: Bool) -> String? {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : plusSign ? "+Inf" : "Inf" }
        return nil
    }

    private static func text(_ write: (UnsafeMutablePointer<CChar>, Int) -> Int) -> String {
        // The longest fixed form of a double has 309 digits before and 17 + 307 after the point.
        String(unsafeUninitializedCapacity: 720) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { chars in
                chars.baseAddress.map { write($0, chars.count) } ?? 0
            }
        }
    }
}
