/// The parts of an absolute HTTP URL, as far as redirects and credentials care. No decoding: texts go out as they came.
/// `http+unix://%2Fpath%2Fto%2Fsocket/…` is HTTP over a socket of this machine.
struct URLReference: Equatable, Sendable {
    /// Lower case.
    var scheme: String
    /// With brackets where it is an IPv6 address, without user and port; lower case, unless it is the path of a socket.
    var host: String
    var port: Int
    /// From the path on, without the fragment.
    var target: String

    /// Nil unless the text is an absolute http or https URL with a host.
    init?(_ text: String) {
        let bytes = text.utf8
        guard let schemeEnd = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[schemeEnd...].starts(with: "://".utf8),
            let start = bytes.index(schemeEnd, offsetBy: 3, limitedBy: bytes.endIndex)
        else { return nil }
        scheme = text[..<schemeEnd].lowercased()
        guard scheme == "http" || scheme == "https" || scheme == "http+unix" else { return nil }
        let end =
            bytes[start...].firstIndex { [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0) }
            ?? bytes.endIndex
        var authority = text[start..<end]
        if let at = authority.utf8.lastIndex(of: UInt8(ascii: "@")) {
            authority = authority[authority.utf8.index(after: at)...]
        }
        let bracket = authority.utf8.lastIndex(of: UInt8(ascii: "]")) ?? authority.startIndex
        port = scheme == "https" ? 443 : 80
        if let colon = authority.utf8[bracket...].lastIndex(of: UInt8(ascii: ":")) {
            guard let number = UInt16(authority[authority.utf8.index(after: colon)...]) else { return nil }
            port = Int(number)
            authority = authority[..<colon]
        }
        // Readers of URLs disagree about what lies beyond; a host is then not what it seems.
        guard !authority.isEmpty, authority.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        // The path of a socket has its letters as they are.
        host = scheme == "http+unix" ? String(authority) : authority.lowercased()
        let pathEnd = bytes[end...].firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
        let path = text[end..<pathEnd]
        target = path.utf8.first == UInt8(ascii: "/") ? String(path) : "/" + path
    }

    /// Where a `Location` header leads from here; nil where it is no HTTP URL.
    func resolving(_ location: String) -> String? {
        if URLReference.hasScheme(location) { return URLReference(location) == nil ? nil : location }
        let bytes = location.utf8
        if bytes.starts(with: "//".utf8) { return scheme + ":" + location }
        let path = String(decoding: target.utf8.prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
        if bytes.first == UInt8(ascii: "?") { return origin + path + location }
        if bytes.first == UInt8(ascii: "/") { return origin + URLReference.withoutDots(location) }
        let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[...$0] } ?? "/"
        return origin + URLReference.withoutDots(directory + location)
    }

    /// Whether a reference begins with a scheme (RFC 3986, 3.1): a colon later on says nothing.
    private static func hasScheme(_ reference: String) -> Bool {
        let bytes = reference.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
        return isLetter(first)
            && bytes[..<colon].allSatisfy { byte in
                isLetter(byte) || (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E].contains(byte)
            }
    }

    /// Without `.` and `..` in its path (RFC 3986, 5.2.4).
    private static func withoutDots(_ target: String) -> String {
        let end = target.utf8.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? target.endIndex
        let parts = target[..<end].utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        var kept: [String] = []
        for part in parts.dropFirst().map({ String($0) ?? "" }) {
            if part == ".." { _ = kept.popLast() } else if part != "." { kept.append(part) }
        }
        // A reference to a directory has a slash at its end.
        if let last = parts.last.flatMap({ String($0) }), last == "." || last == ".." { kept.append("") }
        return "/" + kept.joined(separator: "/") + target[end...]
    }

    /// For the `Host` header: the port only where it is not the scheme's own.
    var authority: String {
        let isDefault = port == (scheme == "https" ? 443 : 80)
        return host + (isDefault ? "" : ":" + String(port))
    }

    /// As resolvers want it.
    var hostWithoutBrackets: String {
        host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
            ? String(host.dropFirst().dropLast()) : host
    }

    var origin: String { scheme + "://" + authority }

    /// Whether what is secret on the way to one may go to the other: the same host, and not from TLS to plain text.
    func sharesCredentials(with other: URLReference) -> Bool {
        host == other.host && !(scheme == "https" && other.scheme == "http")
    }
}
