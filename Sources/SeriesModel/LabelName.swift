/// What names may look like. Since 3.0 any non-empty UTF-8 text is a legal name; the *legacy* alphabet decides
/// whether a name may be written without quotes.
package enum LabelName {
    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    package static func isLegacyLabelName(_ name: String) -> Bool {
        isLegacy(name, allowingColon: false)
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    package static func isLegacyMetricName(_ name: String) -> Bool {
        isLegacy(name, allowingColon: true)
    }

    /// Any non-empty text. (A Swift `String` is valid UTF-8 by construction.)
    package static func isValid(_ name: String) -> Bool { !name.isEmpty }

    /// A key of another system as (part of) a legacy label name: every character that may not stand in one becomes `_`.
    package static func sanitized(_ key: String) -> String {
        String(String.UnicodeScalarView(key.unicodeScalars.map { isLegacyScalar($0, isFirst: false) ? $0 : "_" }))
    }

    /// The same as a whole legacy label name: never empty, never with a digit in front.
    package static func fullySanitized(_ key: String) -> String {
        if key.isEmpty { return "_" }
        let scalars = key.unicodeScalars.enumerated().map { index, scalar in
            isLegacyScalar(scalar, isFirst: index == 0) ? scalar : "_"
        }
        return String(String.UnicodeScalarView(scalars))
    }

    private static func isLegacyScalar(_ scalar: Unicode.Scalar, isFirst: Bool) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "_": true
        case "0"..."9": !isFirst
        default: false
        }
    }

    package static func quotedIfNeeded(_ name: String) -> String {
        isLegacyLabelName(name) ? name : GoQuote.quote(name)
    }

    private static func isLegacy(_ name: String, allowingColon: Bool) -> Bool {
        var isFirst = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
            case UInt8(ascii: ":") where allowingColon: break
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst: break
            default: return false
            }
            isFirst = false
        }
        return !isFirst
    }
}
