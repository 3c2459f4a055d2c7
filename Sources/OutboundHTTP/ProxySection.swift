package import ConfigTree

/// Which proxy requests go through: the keys `proxy_url`, `no_proxy`, `proxy_from_environment` and
/// `proxy_connect_header`.
package struct ProxySection: Sendable, Hashable {
    package struct Header: Sendable, Hashable {
        package var name: String
        package var values: [Secret]
    }

    /// Nil where none is given.
    package var url: ConfigURL?
    /// Hosts that are asked directly; see `ProxyRules`.
    package var exceptions = ""
    package var usesEnvironment = false
    /// Sent to the proxy when a tunnel is asked for.
    package var connectHeaders: [Header] = []

    package init() {}

    init(taking section: inout ConfigSection) throws(ConfigError) {
        let place = section.node
        if let node = section.present("proxy_url") {
            let url = try ConfigURL(node)
            if !url.isEmpty {
                guard ProxyAddress.kinds[url.scheme] != nil else {
                    throw node.error("proxy_url: scheme \"\(url.scheme)\" is not supported by Hearth yet")
                }
                self.url = url
            }
        }
        exceptions = try section.string("no_proxy") ?? ""
        usesEnvironment = try section.bool("proxy_from_environment") ?? false
        for entry in try section.take("proxy_connect_header")?.entries() ?? [] {
            connectHeaders.append(
                Header(name: entry.key, values: try entry.value.strings().map { Secret($0) }))
        }
        try check(at: place)
    }

    private func check(at place: ConfigNode) throws(ConfigError) {
        if !connectHeaders.isEmpty, !usesEnvironment, url == nil {
            throw place.error(
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured")
        }
        if usesEnvironment, url != nil {
            throw place.error("if proxy_from_environment is configured, proxy_url must not be configured")
        }
        if usesEnvironment, !exceptions.isEmpty {
            throw place.error("if proxy_from_environment is configured, no_proxy must not be configured")
        }
        if url == nil, !exceptions.isEmpty {
            throw place.error("if no_proxy is configured, proxy_url must also be configured")
        }
    }

    var output: [(key: String, value: ConfigOutput)] {
        var entries: [(key: String, value: ConfigOutput)] = []
        if let url { entries.append(("proxy_url", .text(url.redacted))) }
        if !exceptions.isEmpty { entries.append(("no_proxy", .text(exceptions))) }
        if usesEnvironment { entries.append(("proxy_from_environment", .flag(true))) }
        if !connectHeaders.isEmpty {
            let headers = connectHeaders.map { header in
                (key: header.name, value: ConfigOutput.list(header.values.map { _ in .plain(Secret.mask) }))
            }
            entries.append(("proxy_connect_header", .mapping(headers)))
        }
        return entries
    }
}
