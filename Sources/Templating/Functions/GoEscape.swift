import SeriesModel

/// The escapes of Go's template package and of `net/url`.
enum GoEscape {
    /// `template.HTMLEscapeString`.
    static func html(_ text: String) -> String {
        escape(text) { byte in
            switch byte {
            case 0: "\u{FFFD}"
            case UInt8(ascii: "\""): "&#34;"
            case UInt8(ascii: "'"): "&#39;"
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: ">"): "&gt;"
            default: nil
            }
        }
    }

    /// A value written into HTML text, as `html/template` does it there; nothing at all is written for nil.
    static func contextualHTML(_ value: TemplateValue) -> String {
        switch value {
        case .none: ""
        case .safeHTML(let text): text
        default: html(value.printed).split(separator: "+", omittingEmptySubsequences: false).joined(separator: "&#43;")
        }
    }

    /// `template.JSEscapeString`, ASCII part.
    static func script(_ text: String) -> String {
        escape(text) { byte in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "'"): "\\'"
            case UInt8(ascii: "\""): "\\\""
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "="), 0..<0x20:
                "\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            default: nil
            }
        }
    }

    /// `url.QueryEscape`.
    static func query(_ text: String) -> String { PercentEncoding.encode(text, spaceAsPlus: true) }

    private static func escape(_ text: String, _ replacement: (UInt8) -> String?) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte < 0x80, let replaced = replacement(byte) {
                out.append(contentsOf: replaced.utf8)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
