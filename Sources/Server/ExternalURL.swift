import Scrape

/// The URL under which the server is reached from outside, worked out of the flags.
package struct ExternalURL: Sendable, Hashable {
    package var scheme: String
    package var host: String
    /// "" where the URL names none.
    package var port: String
    /// Without a slash at the end: "" or "/prometheus".
    package var path: String

    /// - Parameters:
    ///   - text: `--web.external-url`; a bare path is completed with the machine's name.
    ///   - hostName: of this machine.
    ///   - listenPort: of the first listen address.
    /// - Returns: nil where the text is no URL.
    package init?(_ text: String, hostName: String, listenPort: Int) {
        if text.isEmpty || text.hasPrefix("/") {
            (scheme, host, port) = ("http", hostName, String(listenPort))
            path = ExternalURL.trimmed(text)
            return
        }
        let parts = text.split(separator: "://", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "http" || parts[0] == "https" else { return nil }
        scheme = parts[0]
        let authority = parts[1].prefix { $0 != "/" }
        path = ExternalURL.trimmed(String(parts[1].dropFirst(authority.count)))
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            host = String(authority[..<colon])
            port = String(authority[authority.index(after: colon)...])
            guard UInt16(port) != nil else { return nil }
        } else {
            host = String(authority)
            port = ""
        }
        guard !host.isEmpty, !path.contains("?"), !path.contains("#") else { return nil }
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        return path
    }

    package var text: String { scheme + "://" + host + (port.isEmpty ? "" : ":" + port) + path }

    func address(listenPort: Int) -> ExternalAddress {
        ExternalAddress(scheme: scheme, host: host, port: port, listenPort: listenPort)
    }
}
