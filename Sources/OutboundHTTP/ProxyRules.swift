import ConfigTree
import Glibc
import SeriesModel

/// A proxy to go through, reached without TLS.
struct ProxyAddress: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case http
        /// Given the names of hosts, never their addresses.
        case socks5
    }

    var kind: Kind
    var host: String
    var port: Int
    /// Nil where the URL names no user.
    var user: String?
    var password = Secret("")

    /// Nil where the URL is none of such a proxy. A text without a scheme is a host.
    init?(_ url: ConfigURL) {
        let url = url.scheme.isEmpty || url.host.isEmpty ? ConfigURL("http://" + url.text) : url
        guard let kind = ProxyAddress.kinds[url.scheme], !url.host.isEmpty else { return nil }
        self.kind = kind
        host = url.host
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        port = url.port ?? (kind == .http ? 80 : 1080)
        if let info = url.userInfo {
            user = PercentEncoding.decode(info.user)
            password = Secret(PercentEncoding.decode(info.password ?? ""))
        }
    }

    /// By the scheme of the URL. That `socks5` is `socks5h` is as upstream has it.
    static let kinds: [String: Kind] = ["http": .http, "socks5": .socks5, "socks5h": .socks5]

    /// The value of `Proxy-Authorization`.
    var authorization: String? {
        user.map { "Basic " + Base64.encode(Array(($0 + ":" + password.text).utf8)) }
    }
}

/// Which requests go through which proxy, by the rules of Go's `httpproxy`: `no_proxy` holds hosts, domains (with their
/// subdomains; with a dot in front without themselves), addresses, networks and `*`, each but the networks with a port
/// where wanted; this machine itself is never asked through a proxy that has such rules.
enum ProxyRules {
    /// - Parameter environment: the value of a variable.
    /// - Throws: where the environment names a proxy that is not served.
    static func proxy(
        for target: URLReference, _ section: ProxySection, environment: (String) -> String?
    ) throws(OutboundError) -> ProxyAddress? {
        if let url = section.url {
            guard section.exceptions.isEmpty || isProxied(target, exceptions: section.exceptions) else { return nil }
            return ProxyAddress(url)
        }
        guard section.usesEnvironment else { return nil }
        func value(_ name: String) -> String {
            let upper = environment(name) ?? ""
            return upper.isEmpty ? environment(name.lowercased()) ?? "" : upper
        }
        let name = value(target.scheme == "https" ? "HTTPS_PROXY" : "HTTP_PROXY")
        guard !name.isEmpty, isProxied(target, exceptions: value("NO_PROXY")) else { return nil }
        guard let proxy = ProxyAddress(ConfigURL(name)) else {
            throw OutboundError(.malformed, "proxy of the environment is not supported: \(ConfigURL(name).redacted)")
        }
        return proxy
    }

    static func isProxied(_ target: URLReference, exceptions: String) -> Bool {
        var host = target.host
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { return false }
        let address = IPAddress(host)
        if let address, address.isLoopback { return false }
        for part in exceptions.split(separator: ",") {
            let rule = part.filter { !$0.isWhitespace }.lowercased()
            if rule.isEmpty { continue }
            if rule == "*" || matches(rule, host, address, target.port) { return false }
        }
        return true
    }

    private static func matches(_ rule: String, _ host: String, _ address: IPAddress?, _ port: Int) -> Bool {
        if let slash = rule.firstIndex(of: "/"), let network = IPAddress(String(rule[..<slash])),
            let length = Int(rule[rule.index(after: slash)...])
        {
            return address.map { $0.isIn(network, prefixLength: length) } ?? false
        }
        var name = rule[...]
        // A port follows a host or a bracketed address; a bare IPv6 address has many colons.
        if let colon = rule.lastIndex(of: ":"), rule.hasPrefix("[") || rule.firstIndex(of: ":") == colon,
            let wanted = Int(rule[rule.index(after: colon)...])
        {
            guard wanted == port else { return false }
            name = rule[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        if let wanted = IPAddress(String(name)) { return wanted == address }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        if name.hasPrefix(".") { return host.hasSuffix(name) }
        return host == name || host.hasSuffix("." + name)
    }
}

/// An IPv4 or IPv6 address as its bytes; IPv4 ones in IPv6's clothes are IPv4.
struct IPAddress: Equatable {
    let bytes: [UInt8]

    init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        } else {
            return nil
        }
    }

    var isLoopback: Bool {
        bytes.count == 4 ? bytes.first == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    func isIn(_ network: IPAddress, prefixLength: Int) -> Bool {
        guard bytes.count == network.bytes.count, (0...bytes.count * 8).contains(prefixLength) else { return false }
        return (0..<prefixLength).allSatisfy { bit in
            (bytes[bit / 8] ^ network.bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}
