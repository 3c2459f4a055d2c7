import ConfigTree
import NIOCore

/// Which name servers to ask, and how: what `/etc/resolv.conf` says, with the bounds that the system's resolver has.
struct ResolverConfiguration: Sendable, Hashable {
    private static let serversMax = 8
    private static let searchMax = 32

    /// Addresses with ports.
    var servers: [SocketAddress] = []
    /// Domains that are tried behind names with few dots.
    var search: [String] = []
    /// A name with so many dots is tried as it is first.
    var dotsMin = 1
    /// For each question to one server. ms
    var timeout: Int64 = 5000
    /// How often each server is asked.
    var attempts = 2

    init() {}

    /// What the machine says now; a file that cannot be read means the server on this machine.
    static func system() -> ResolverConfiguration {
        let path = "/etc/resolv.conf"
        guard let bytes = try? ConfigFile.read(path, bytesMax: 1 << 20) else {
            return ResolverConfiguration(parsing: "")
        }
        return ResolverConfiguration(parsing: String(decoding: bytes, as: UTF8.self))
    }

    init(parsing text: String) {
        for line in text.utf8.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
            let words = line.split(whereSeparator: isSpace).map { String(decoding: $0, as: UTF8.self) }
            guard let key = words.first, !key.hasPrefix("#"), !key.hasPrefix(";") else { continue }
            let values = words.dropFirst()
            switch key {
            case "nameserver":
                guard servers.count < ResolverConfiguration.serversMax, let address = values.first,
                    let server = try? SocketAddress(ipAddress: address, port: 53)
                else { continue }
                servers.append(server)
            // The last of the two counts.
            case "domain": search = Array(values.prefix(1))
            case "search": search = Array(values.prefix(ResolverConfiguration.searchMax))
            case "options": for option in values { take(option) }
            default: continue
            }
        }
        search.removeAll { $0 == "." || DNSMessage.encoded(name: $0) == nil }
        if servers.isEmpty, let local = try? SocketAddress(ipAddress: "127.0.0.1", port: 53) { servers = [local] }
    }

    private mutating func take(_ option: String) {
        let parts = option.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1)
        guard parts.count == 2, let value = Int(String(decoding: parts[1], as: UTF8.self)), value >= 0 else { return }
        switch String(decoding: parts[0], as: UTF8.self) {
        case "ndots": dotsMin = min(value, 15)
        case "timeout": timeout = Int64(min(max(value, 1), 30)) * 1000
        case "attempts": attempts = min(max(value, 1), 5)
        default: break
        }
    }

    /// The full names to try for a name, in their order. One that ends in a dot is full already.
    func candidates(_ name: String) -> [String] {
        if name.utf8.last == UInt8(ascii: ".") { return [name] }
        let dots = name.utf8.count { $0 == UInt8(ascii: ".") }
        let searched = search.map { domain in
            let suffixed = name + "." + domain
            return suffixed.utf8.last == UInt8(ascii: ".") ? suffixed : suffixed + "."
        }.filter { DNSMessage.encoded(name: $0) != nil }
        return dots >= dotsMin ? [name + "."] + searched : searched + [name + "."]
    }
}
