/// The parts of an absolute HTTP URL, as far as redirects and credentials care. No decoding: texts go out as they came.
/// `http+unix://%2Fpath%2Fto%2Fsocket/…` is HTTP over a socket of this machine.
struct URLReference: Equatable {
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
        guard !authority.isEmpty else { return nil }
        // The path of a socket has its letters as they are.
        host = scheme == "http+unix" ? String(authority) : authority.lowercased()
        let pathEnd = bytes[end...].firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
        let path = text[end..<pathEnd]
        target = path.utf8.first == UInt8(ascii: "/") ? String(path) : "/" + path
    }

    /// Where a `Location` header leads from here; nil where it is no HTTP URL.
    func resolving(_ location: String) -> String? {
        if location.range(of: "://") != nil { return URLReference(location) == nil ? nil : location }
        if location.hasPrefix("//") { return scheme + ":" + location }
        let path = String(target.prefix { $0 != "?" })
        if location.hasPrefix("/") { return origin + location }
        if location.hasPrefix("?") { return origin + path + location }
        let directory = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return origin + directory + location
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

extension String {
    fileprivate func range(of needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle), let end = index(start, offsetBy: needle.count, limitedBy: endIndex) {
                return start..<end
            }
            start = index(after: start)
        }
        return nil
    }
}
