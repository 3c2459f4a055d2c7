private import SeriesModel

/// `host:port`, taken apart as Go's `net.SplitHostPort` does.
struct HostPort {
    var host: String
    var port: String

    /// Nil where the text is not exactly one host and one port: no colon, too many, unbalanced brackets.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let hostBytes: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")), close + 1 == colon else { return nil }
            hostBytes = bytes[1..<close]
        } else {
            hostBytes = bytes[..<colon]
            guard !hostBytes.contains(UInt8(ascii: ":")) else { return nil }
        }
        let portBytes = bytes[(colon + 1)...]
        let brackets: (UInt8) -> Bool = { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }
        guard !hostBytes.contains(where: brackets), !portBytes.contains(where: brackets) else { return nil }
        host = String(decoding: hostBytes, as: UTF8.self)
        port = String(decoding: portBytes, as: UTF8.self)
    }

    /// The first part of a host name, the port kept; addresses stay as they are.
    static func strippingDomain(_ text: String) -> String {
        let parts = HostPort(text)
        let host = parts?.host ?? text
        if isAddress(host) { return text }
        let short = String(host.prefix { $0 != "." })
        guard let port = parts?.port, !port.isEmpty else { return short }
        return (short.contains(":") ? "[" + short + "]" : short) + ":" + port
    }

    private static func isAddress(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && UInt8(part) != nil
                    && (part.utf8.count == 1 || part.first != "0")
            }
    }

    private static func isIPv6(_ text: String) -> Bool {
        guard text.contains(":"), !text.contains(":::") else { return false }
        var groups = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var count = 0
        if let last = groups.last, last.contains(".") {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            count = 2
            if groups.last == "" { groups.append("") }
        }
        // A leading or trailing "::" gives two empty parts, one inside the text gives one.
        let isCompressed = text.hasPrefix("::") || text.hasSuffix("::") || groups.dropFirst().dropLast().contains("")
        if text.hasPrefix("::") { groups.removeFirst() }
        if text.hasSuffix("::"), !groups.isEmpty { groups.removeLast() }
        let named = groups.filter { !$0.isEmpty }
        guard groups.count - named.count <= 1 else { return false }
        guard named.allSatisfy({ $0.utf8.count <= 4 && UInt16($0, radix: 16) != nil && $0.first != "+" }) else {
            return false
        }
        count += named.count
        return isCompressed ? count < 8 : count == 8 && groups.count == named.count
    }
}
