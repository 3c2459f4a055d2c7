import SeriesModel

/// How a name outside the legacy alphabet is written for a reader that cannot take it in quotes: the `escaping`
/// parameter of content negotiation (prometheus/common, "escaping schemes").
package enum NameEscaping: String, Sendable, CaseIterable {
    /// Every foreign character becomes `_`; there is no way back.
    case underscores
    /// `.` becomes `_dot_`, `_` is doubled, anything else foreign becomes `__`.
    case dots
    /// `U__`, then foreign characters as `_<hexadecimal code point>_`, `_` doubled. Loses nothing.
    case values

    package func escape(_ name: String) -> String {
        if name.isEmpty || (self != .dots && LabelName.isLegacyMetricName(name)) { return name }
        var out = self == .values ? "U__" : ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            let isLegacy = NameEscaping.isLegacy(scalar, isFirst: index == 0)
            switch self {
            case .underscores: out.unicodeScalars.append(isLegacy ? scalar : "_")
            case .dots:
                switch scalar {
                case "_": out += "__"
                case ".": out += "_dot_"
                default: out += isLegacy ? String(scalar) : "__"
                }
            case .values:
                if scalar == "_" {
                    out += "__"
                } else {
                    out += isLegacy ? String(scalar) : "_" + String(scalar.value, radix: 16) + "_"
                }
            }
        }
        return out
    }

    /// Undoes `escape` as far as it can be undone; a malformed text comes back as it is.
    package func unescape(_ name: String) -> String {
        switch self {
        case .underscores: return name
        case .dots:
            return NameEscaping.replacing("__", with: "_", in: NameEscaping.replacing("_dot_", with: ".", in: name))
        case .values: return NameEscaping.unescapedValues(name) ?? name
        }
    }

    private static func unescapedValues(_ name: String) -> String? {
        guard name.hasPrefix("U__") else { return nil }
        var out = String.UnicodeScalarView()
        var rest = name.unicodeScalars.dropFirst(3)
        while let scalar = rest.popFirst() {
            guard scalar == "_" else {
                out.append(scalar)
                continue
            }
            if rest.first == "_" {
                rest.removeFirst()
                out.append("_")
                continue
            }
            // U+10FFFF has six digits.
            let digits = rest.prefix { $0 != "_" }
            guard !digits.isEmpty, digits.count <= 6, rest.dropFirst(digits.count).first == "_" else { return nil }
            guard let value = UInt32(String(digits), radix: 16), let decoded = Unicode.Scalar(value) else { return nil }
            out.append(decoded)
            rest = rest.dropFirst(digits.count + 1)
        }
        return String(out)
    }

    private static func isLegacy(_ scalar: Unicode.Scalar, isFirst: Bool) -> Bool {
        guard let byte = UInt8(exactly: scalar.value) else { return false }
        return byte == UInt8(ascii: ":") || (isFirst ? ByteClass.isNameStart(byte) : ByteClass.isName(byte))
    }

    private static func replacing(_ pattern: String, with replacement: String, in text: String) -> String {
        text.split(separator: pattern, omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
