/// Prometheus durations: `1d12h`, units in the order y w d h m s ms, each at most once, whole numbers only; `0` stands
/// for itself. A year is 365 days.
package enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
        ("s", 1000), ("ms", 1),
    ]

    package struct ParseError: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// The same with a minus sign allowed in front.
    package static func parseSigned(_ text: String) throws(ParseError) -> Int64 {
        text.hasPrefix("-") ? -(try parse(String(text.dropFirst()))) : try parse(text)
    }

    /// - Returns: milliseconds, not negative.
    /// - Throws: `ParseError` with upstream's wording.
    package static func parse(_ text: String) throws(ParseError) -> Int64 {
        if text == "0" { return 0 }
        if text.isEmpty { throw ParseError(description: "empty duration string") }
        let invalid = ParseError(description: "not a valid duration string: " + GoQuote.quote(text))
        var rest = Array(text.utf8)[...]
        var nextUnit = 0
        var total: Int64 = 0
        while !rest.isEmpty {
            var count: Int64 = 0
            var hasDigits = false
            while let byte = rest.first, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                let (scaled, overflow) = count.multipliedReportingOverflow(by: 10)
                let (sum, carried) = scaled.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
                if overflow || carried { throw ParseError(description: "duration out of range") }
                count = sum
                hasDigits = true
                rest = rest.dropFirst()
            }
            guard hasDigits else { throw invalid }
            var letters: [UInt8] = []
            while let byte = rest.first, byte < UInt8(ascii: "0") || byte > UInt8(ascii: "9") {
                letters.append(byte)
                rest = rest.dropFirst()
            }
            let suffix = String(decoding: letters, as: UTF8.self)
            guard let unit = units.firstIndex(where: { $0.suffix == suffix }) else {
                throw ParseError(
                    description: "unknown unit " + GoQuote.quote(suffix) + " in duration " + GoQuote.quote(text))
            }
            guard unit >= nextUnit else { throw invalid }
            nextUnit = unit + 1
            let (part, overflow) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
            let (sum, carried) = total.addingReportingOverflow(part)
            // Upstream counts in nanoseconds: what does not fit there does not fit at all.
            if overflow || carried || sum > Int64.max / 1_000_000 {
                throw ParseError(description: "duration out of range")
            }
            total = sum
        }
        return total
    }

    /// The shortest text that parses back: `1h30m`, `90d`; `0s` for zero. Weeks and years only where they divide.
    package static func format(_ milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0s" }
        var rest = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        for (suffix, size) in units {
            let size = UInt64(size)
            // Only the exact forms of years and weeks are used, as they are longer than the days they replace.
            if suffix == "y" || suffix == "w", rest % size != 0 { continue }
            let count = rest / size
            if count > 0 { text += String(count) + suffix }
            rest %= size
        }
        return text
    }
}
