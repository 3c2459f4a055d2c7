/// The form in which names that are not plain ASCII words stand in paths: `U__` and then `_2e_` for each character
/// that does not fit, `__` for an underscore (upstream's "values" escaping scheme).
enum LabelNameEscaping {
    private static let codeDigitsMax = 6

    /// - Returns: the text itself where it is not escaped, or not well.
    static func unescape(_ text: String) -> String {
        guard text.hasPrefix("U__") else { return text }
        var rest = text.unicodeScalars.dropFirst(3)
        var out = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            guard scalar == "_" else {
                out.append(scalar)
                continue
            }
            guard let decoded = escaped(&rest) else { return text }
            out.append(decoded)
        }
        return String(out)
    }

    /// What follows an underscore: another one, or a code point and the underscore that ends it.
    private static func escaped(_ rest: inout Substring.UnicodeScalarView) -> Unicode.Scalar? {
        if rest.first == "_" { return rest.popFirst() }
        var code: UInt32 = 0
        var digitCount = 0
        while let scalar = rest.popFirst() {
            if scalar == "_" { return Unicode.Scalar(code) }
            guard digitCount < codeDigitsMax, scalar.isASCII,
                let digit = PercentCoding.hexValue(UInt8(truncatingIfNeeded: scalar.value))
            else { return nil }
            code = code << 4 | UInt32(digit)
            digitCount += 1
        }
        return nil
    }
}
