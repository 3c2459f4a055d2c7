/// The parts of an absolute HTTP URL, as far as redirects and credentials care. No decoding: texts go out as they came.
/// `http+unix://%2Fpath%2Fto%2Fsocket/…` is HTTP over a socket of this machine.
struct URLReference: Equatable {
    /// Lower case.
    var scheme: String
    /// With brackets where it is an IPv6 address, without user and port; lower case.
    var host: String
    var port: Int
    /// From the path on, without the fragment.
    var target: String

    /// Nil unless the text is an absolute http or https URL with a host.
    init?(_ text: String) {
        guard let separator = text.range(of: "://") else { return nil }
        scheme = text[..<separator.lowerBound].lowercased()
        guard ["http", "https", "http+unix"].contains(scheme) else { return nil }
        let rest = text[separator.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        port = scheme == "https" ? 443 : 80
        if let colon = authority[bracket...].lastIndex(of: ":") {
            guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
            port = Int(number)
            authority = authority[..<colon]
        }
        guard !authority.isEmpty else { return nil }
        host = authority.lowercased()
        let path = rest[end...].prefix { $0 != "#" }
        target = path.hasPrefix("/") ? String(path) : "/" + path
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
