import SeriesModel

/// URLs of targets, escaped as Go's `net/url` does it, because they are shown and compared.
enum TargetURL {
    static func make(
        scheme: String, address: String, path: String, parameters: [(name: String, values: [String])]
    ) -> String {
        var url = scheme + "://" + address
        if !path.isEmpty, !path.hasPrefix("/") { url += "/" }
        url += escape(path, keeping: "$&+,/:;=@-_.~", space: "%20")
        var query: [String] = []
        for parameter in parameters.sorted(by: { $0.name.precedesByBytes($1.name) }) {
            let name = escape(parameter.name, keeping: "-_.~", space: "+")
            for value in parameter.values { query.append(name + "=" + escape(value, keeping: "-_.~", space: "+")) }
        }
        return query.isEmpty ? url : url + "?" + query.joined(separator: "&")
    }

    private static func escape(_ text: String, keeping kept: StaticString, space: String) -> String {
        var out = ""
        let kept = kept.withUTF8Buffer { Array($0) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x20: out += space
            default:
                if kept.contains(byte) {
                    out.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = String(byte, radix: 16, uppercase: true)
                    out += "%" + (digits.count < 2 ? "0" : "") + digits
                }
            }
        }
        return out
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
