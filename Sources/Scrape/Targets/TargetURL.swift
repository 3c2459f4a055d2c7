import SeriesModel

/// URLs of targets, escaped as Go's `net/url` does it, because they are shown and compared.
enum TargetURL {
    static func make(
        scheme: String, address: String, path: String, parameters: [(name: String, values: [String])]
    ) -> String {
        var url = scheme + "://" + address
        if !path.isEmpty, !path.hasPrefix("/") { url += "/" }
        url += PercentEncoding.encode(path, keeping: "$&+,/:;=@-_.~")
        var query: [String] = []
        for parameter in parameters.sorted(by: { $0.name.precedesByBytes($1.name) }) {
            let name = PercentEncoding.encode(parameter.name, spaceAsPlus: true)
            for value in parameter.values {
                query.append(name + "=" + PercentEncoding.encode(value, spaceAsPlus: true))
            }
        }
        return query.isEmpty ? url : url + "?" + query.joined(separator: "&")
    }
}

/// How this server is reached from elsewhere, to show URLs of loopback targets that somebody else can follow.
package struct ExternalAddress: Sendable, Hashable {
    package var scheme: String
    package var host: String
    /// "" where the URL has none.
    package var port: String
    /// Where we listen ourselves.
    package var listenPort: Int

    package init(scheme: String, host: String, port: String, listenPort: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.listenPort = listenPort
    }

    /// The URL with a loopback name replaced; our own port becomes the external one too.
    func globalURL(_ url: String) -> String {
        let separator = "://"
        guard let range = url.firstRange(of: separator) else { return url }
        let rest = url[range.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        guard let colon = authority.lastIndex(of: ":") else { return url }
        let name = authority[..<colon]
        guard ["localhost", "127.0.0.1", "[::1]"].contains(String(name)) else { return url }
        let targetPort = authority[authority.index(after: colon)...]
        let tail = rest[authority.endIndex...]
        if Int(targetPort) == listenPort {
            return scheme + separator + host + (port.isEmpty ? "" : ":" + port) + tail
        }
        return url[..<range.upperBound] + host + ":" + targetPort + tail
    }
}
