/// Text as Go's `strconv.Quote` writes it: the form in which label values stand in logs, errors and printed queries.
package enum GoQuote {
    package static func quote(_ text: String) -> String {
        "\"" + escaped(text) + "\""
    }

    /// Without the quotes; taken off afterwards, they would take a combining mark beside them along.
    package static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{07}": out += "\\a"
            case "\u{08}": out += "\\b"
            case "\u{0C}": out += "\\f"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{0B}": out += "\\v"
            default:
                if isPrintable(scalar) {
                    out.unicodeScalars.append(scalar)
                } else if scalar.value < 0x80 {
                    out += "\\x" + hex(scalar.value, digits: 2)
                } else if scalar.value < 0x10000 {
                    out += "\\u" + hex(scalar.value, digits: 4)
                } else {
                    out += "\\U" + hex(scalar.value, digits: 8)
                }
            }
        }
        return out
    }

    /// The same for bytes that need not be UTF-8: what is not stands as `\xff`.
    package static func quote(bytes: some Sequence<UInt8>) -> String {
        Array(bytes).withUnsafeBytes { bytes in
            var out = "\""
            var start = 0
            var index = 0
            func flush() {
                let valid = UnsafeRawBufferPointer(rebasing: bytes[start..<index])
                out += escaped(String(decoding: valid, as: UTF8.self))
            }
            while index < bytes.count {
                let length = UTF8Text.scalarLength(in: bytes, at: index)
                if length == 0 {
                    flush()
                    out += "\\x" + hex(UInt32(bytes[index]), digits: 2)
                    index += 1
                    start = index
                } else {
                    index += length
                }
            }
            flush()
            return out + "\""
        }
    }

    /// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return scalar.value >= 0x20 && scalar.value != 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
