/// Go's `Regexp.Expand` notation.
enum Template {
    static func expand(_ template: String, _ value: (String) -> String) -> String {
        var out: [UInt8] = []
        var rest = Array(template.utf8)[...]
        while let byte = rest.first {
            rest = rest.dropFirst()
            guard byte == UInt8(ascii: "$") else {
                out.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "$") {
                out.append(byte)
                rest = rest.dropFirst()
            } else if let (name, after) = reference(rest) {
                out.append(contentsOf: value(name).utf8)
                rest = after
            } else {
                // Not a reference: Go keeps the dollar sign as it is.
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func reference(_ text: ArraySlice<UInt8>) -> (name: String, rest: ArraySlice<UInt8>)? {
        var rest = text
        let isBraced = rest.first == UInt8(ascii: "{")
        if isBraced { rest = rest.dropFirst() }
        let name = String(decoding: rest, as: UTF8.self).unicodeScalars.prefix(while: isWord)
        rest = rest.dropFirst(name.reduce(0) { $0 + UTF8.width($1) })
        guard !name.isEmpty else { return nil }
        if isBraced {
            guard rest.first == UInt8(ascii: "}") else { return nil }
            rest = rest.dropFirst()
        }
        return (String(name), rest)
    }

    /// Letters and digits of any script, as Go takes them, and the underscore.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "_" { return true }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber:
            return true
        default: return false
        }
    }
}
