import SeriesModel

/// Times in messages.
enum RFC3339 {
    static func text(_ time: Timestamp) -> String {
        guard let date = CivilDate(seconds: (Double(time) / 1000).rounded(.down)) else { return String(time) }
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : String(value) }
        let seconds = date.secondOfDay
        return "\(date.year)-\(two(date.month))-\(two(date.day))T"
            + "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
    }
}

extension NumberText {
    /// Go's `%.Ng`: so many significant digits, trailing zeros cut.
    static func scientificOrFixed(_ value: Double, digits: Int) -> String {
        if value == 0 || !value.isFinite { return general(value) }
        let mantissa = scientific(value, digits: digits - 1)
        guard let mark = mantissa.firstIndex(of: "e"), let exponent = Int(mantissa[mantissa.index(after: mark)...])
        else { return mantissa }
        if exponent >= -4, exponent < digits { return trimmed(fixed(value, digits: max(0, digits - 1 - exponent))) }
        return trimmed(String(mantissa[..<mark])) + mantissa[mark...]
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
