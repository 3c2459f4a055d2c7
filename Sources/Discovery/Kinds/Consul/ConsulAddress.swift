import ConfigTree
import OutboundHTTP
import SeriesModel

/// Where an agent is asked, in the ways that Consul's own client takes an address.
enum ConsulAddress {
    /// The beginning of all URLs: of `host:port`, `http://host:port`, `https://host:port` or `unix:///path`. What is
    /// written in front counts more than `scheme`, but `http://` does not turn `https` off; a path behind the host takes
    /// the place of `path_prefix`.
    static func endpoint(
        _ server: String, scheme: String, pathPrefix: String, at node: ConfigNode
    ) throws(ConfigError) -> String {
        guard let (given, rest) = URLText.parts(server) else {
            return scheme + "://" + server + path(pathPrefix)
        }
        switch given {
        case "unix":
            guard rest.utf8.first == UInt8(ascii: "/"), scheme == "http" else {
                throw node.error(
                    "invalid server \(GoQuote.quote(server)): a socket needs an absolute path and the scheme http")
            }
            return "http+unix://" + PercentEncoding.encode(rest) + path(pathPrefix)
        case "http", "https":
            let host = rest.prefix { $0 != "/" }
            guard !host.isEmpty else { throw node.error("host is missing in server \(GoQuote.quote(server))") }
            let behind = String(rest.dropFirst(host.count))
            return (given == "https" ? given : scheme) + "://" + host + path(behind.isEmpty ? pathPrefix : behind)
        default:
            throw node.error("unknown scheme of server \(GoQuote.quote(server)), must be http, https or unix")
        }
    }

    /// With a slash in front and none at the end; "" for none.
    private static func path(_ prefix: String) -> String {
        let prefix = URLText.withoutTrailingSlashes(prefix)
        return prefix.isEmpty || prefix.utf8.first == UInt8(ascii: "/") ? prefix : "/" + prefix
    }
}
