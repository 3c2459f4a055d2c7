/// A URL in a configuration, as far as reading it goes: it is kept as written, and shown without its password.
package struct ConfigURL: Sendable, Hashable {
    /// As written, password included.
    package let text: String

    package init(_ text: String) { self.text = text }

    /// - Throws: where Go's `url.Parse` would refuse the text.
    package init(_ node: ConfigNode) throws(ConfigError) {
        text = try node.string()
        if let complaint = ConfigURL.complaint(text) {
            throw node.error("parse \"\(ConfigURL.redacted(text))\": \(complaint)")
        }
    }

    private static func complaint(_ text: String) -> String? {
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "net/url: invalid control character in URL" }
        if text.hasPrefix(":") { return "missing protocol scheme" }
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "%") {
            let digits = bytes[min(index + 1, bytes.count)..<min(index + 3, bytes.count)]
            guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else {
                let escape = String(decoding: bytes[index..<min(index + 3, bytes.count)], as: UTF8.self)
                return "invalid URL escape \"\(escape)\""
            }
        }
        let parts = ConfigURL(text)
        if parts.scheme.isEmpty, text.prefix(while: { $0 != "/" }).contains(":") {
            return "first path segment in URL cannot contain colon"
        }
        let port = parts.portText
        return port.utf8.allSatisfy { (0x30...0x39).contains($0) } ? nil : "invalid port \":\(port)\" after host"
    }

    package var isEmpty: Bool { text.isEmpty }

    /// Lower case; "" where there is none.
    package var scheme: String {
        let scheme = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        guard scheme.first?.isLetter == true, text[scheme.endIndex...].first == ":" else { return "" }
        return scheme.lowercased()
    }

    private var authority: Substring {
        let rest = scheme.isEmpty ? text[...] : text.dropFirst(scheme.count + 1)
        guard rest.hasPrefix("//") else { return "" }
        return rest.dropFirst(2).prefix { !"/?#".contains($0) }
    }

    /// User and password as written, percent signs included; nil where there are none.
    package var userInfo: (user: String, password: String?)? {
        guard let at = authority.lastIndex(of: "@") else { return nil }
        let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : nil)
    }

    private var hostAndPort: Substring {
        guard let at = authority.lastIndex(of: "@") else { return authority }
        return authority[authority.index(after: at)...]
    }

    /// Without the port; brackets of an IPv6 address included. "" where there is none.
    package var host: String {
        let both = hostAndPort
        if let bracket = both.lastIndex(of: "]") { return String(both[...bracket]) }
        return String(both.prefix { $0 != ":" })
    }

    private var portText: Substring {
        let both = hostAndPort
        let rest = both.lastIndex(of: "]").map { both[both.index(after: $0)...] } ?? both.drop { $0 != ":" }
        return rest.dropFirst()
    }

    /// Nil where none is given.
    package var port: Int? { UInt16(portText).map { Int($0) } }

    /// Without the password: `http://user:xxxxx@host/`.
    package var redacted: String { ConfigURL.redacted(text) }

    private static func redacted(_ text: String) -> String {
        guard let slashes = text.firstRange(of: "//") else { return text }
        let end = text[slashes.upperBound...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        guard let at = text[slashes.upperBound..<end].lastIndex(of: "@"),
            let colon = text[slashes.upperBound..<at].firstIndex(of: ":")
        else { return text }
        return text[...colon] + "xxxxx" + text[at...]
    }
}

extension ConfigURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { redacted }
    package var debugDescription: String { redacted }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
