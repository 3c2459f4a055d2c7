/// A configuration being written out: what `/api/v1/status/config` shows. Defaults are filled in and secrets masked by
/// whoever builds the tree.
package indirect enum ConfigOutput: Sendable {
    /// Written as it is: numbers, booleans, durations.
    case plain(String)
    /// Quoted where YAML would read it as something else.
    case text(String)
    case list([ConfigOutput])
    case mapping([(key: String, value: ConfigOutput)])

    package static func flag(_ value: Bool) -> ConfigOutput { .plain(value ? "true" : "false") }
    package static func number(_ value: some BinaryInteger) -> ConfigOutput { .plain(String(value)) }

    /// The YAML text, ending in a newline; lists are not indented below their key, as upstream writes them.
    package var yaml: String {
        var out = ""
        switch self {
        case .plain, .text: out = scalar + "\n"
        case .list(let items): ConfigOutput.write(items, indent: 0, to: &out)
        case .mapping(let entries): ConfigOutput.write(entries, indent: 0, to: &out)
        }
        return out
    }

    private var scalar: String {
        switch self {
        case .plain(let text): text
        case .text(let text): ConfigOutput.quotedIfNeeded(text)
        case .list: "[]"
        case .mapping: "{}"
        }
    }

    private static func write(
        _ entries: [(key: String, value: ConfigOutput)], indent: Int, firstIsPlaced: Bool = false, to out: inout String
    ) {
        if entries.isEmpty { out += "{}\n" }
        for (index, entry) in entries.enumerated() {
            if !(firstIsPlaced && index == 0) { out += String(repeating: " ", count: indent) }
            out += quotedIfNeeded(entry.key) + ":"
            switch entry.value {
            case .list(let items) where !items.isEmpty:
                out += "\n"
                write(items, indent: indent, to: &out)
            case .mapping(let inner) where !inner.isEmpty:
                out += "\n"
                write(inner, indent: indent + 2, to: &out)
            default: out += " " + entry.value.scalar + "\n"
            }
        }
    }

    private static func write(_ items: [ConfigOutput], indent: Int, to out: inout String) {
        if items.isEmpty { out += "[]\n" }
        for item in items {
            out += String(repeating: " ", count: indent) + "- "
            switch item {
            case .mapping(let entries) where !entries.isEmpty:
                write(entries, indent: indent + 2, firstIsPlaced: true, to: &out)
            case .list(let inner) where !inner.isEmpty:
                out += "\n"
                write(inner, indent: indent + 2, to: &out)
            default: out += item.scalar + "\n"
            }
        }
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        needsQuotes(text) ? quoted(text) : text
    }

    private static let reserved: Set<String> = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", "-.inf", "+.inf", ".nan", "<<",
        "=",
    ]

    private static func needsQuotes(_ text: String) -> Bool {
        if reserved.contains(text.lowercased()) { return true }
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last else { return true }
        if text.unicodeScalars.contains(where: mustBeEscaped) || first == 0x20 || last == 0x20 { return true }
        if "!&*|>@%`\"'{}[],#".utf8.contains(first) || last == UInt8(ascii: ":") { return true }
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "?") || first == UInt8(ascii: ":") {
            if bytes.count == 1 || bytes[1] == 0x20 || first == UInt8(ascii: ":") { return true }
        }
        // Whatever begins like a number may be one of YAML 1.1's many kinds (012, 1_000, 1:30, 2001-01-01).
        let isNumberLike = bytes.allSatisfy { "0123456789+-._:xXeEoabcdefABCDEF".utf8.contains($0) }
        if isNumberLike, "0123456789+-.".utf8.contains(first) { return true }
        return zip(bytes, bytes.dropFirst()).contains { pair in
            pair == (UInt8(ascii: ":"), 0x20) || pair == (0x20, UInt8(ascii: "#"))
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            default:
                if mustBeEscaped(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    let (letter, width) = scalar.value < 0x100 ? ("x", 2) : ("u", 4)
                    out += "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }

    /// What a YAML reader takes for the end of a line, for a byte order mark, or for nothing that may stand in a file.
    private static func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}
