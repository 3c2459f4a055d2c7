package import ConfigTree

/// One header of `http_headers`, sent once for each of its values.
package struct HeaderSection: Sendable, Hashable {
    package var name: String
    package var values: [String]
    package var secrets: [Secret]
    /// Each holds one value.
    package var files: [String]

    /// Headers that the client itself makes.
    private static let reserved: Set<String> = [
        "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "host",
        "keep-alive", "proxy-authenticate", "proxy-authorization", "user-agent", "www-authenticate",
        "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-prometheus-remote-read-version",
        "x-prometheus-remote-write-version", "x-prometheus-scrape-timeout-seconds",
    ]

    /// Reads the mapping of header names, sorted by name.
    static func list(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) -> [HeaderSection] {
        var headers: [HeaderSection] = []
        for entry in try node.entries() {
            var section = try entry.value.section("config.Header")
            let header = HeaderSection(
                name: entry.key, values: try section.strings("values") ?? [],
                secrets: try (section.strings("secrets") ?? []).map { Secret($0) },
                files: try (section.strings("files") ?? []).map { ConfigFile.resolve($0, in: baseDirectory) })
            try section.finish()
            guard !reserved.contains(entry.key.lowercased()) else {
                throw entry.keyNode.error("setting header \"\(canonical(entry.key))\" is not allowed")
            }
            guard isName(entry.key) else {
                throw entry.keyNode.error("\"\(entry.key)\" is not a valid header name")
            }
            headers.append(header)
        }
        return headers.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// RFC 9110's token: anything else would break the request.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    /// `User-Agent`, as Go writes header names.
    private static func canonical(_ name: String) -> String {
        name.split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }.joined(separator: "-")
    }

    var output: (key: String, value: ConfigOutput) {
        var entries: [(key: String, value: ConfigOutput)] = []
        if !values.isEmpty { entries.append(("values", .list(values.map { .text($0) }))) }
        if !secrets.isEmpty { entries.append(("secrets", .list(secrets.map { _ in .plain(Secret.mask) }))) }
        if !files.isEmpty { entries.append(("files", .list(files.map { .text($0) }))) }
        return (name, .mapping(entries))
    }
}
