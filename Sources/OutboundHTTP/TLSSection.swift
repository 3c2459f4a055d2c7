package import ConfigTree

/// `tls_config` of a client. Certificates and keys may be given as files, which are read again when they change, or
/// inline as PEM.
package struct TLSSection: Sendable, Hashable {
    package enum Version: String, Sendable, CaseIterable, Comparable {
        case tls10 = "TLS10"
        case tls11 = "TLS11"
        case tls12 = "TLS12"
        case tls13 = "TLS13"

        package static func < (one: Version, other: Version) -> Bool { one.rawValue < other.rawValue }
    }

    /// Nil: the system's authorities.
    package var authorities: SecretSource?
    package var certificate: SecretSource?
    package var key: SecretSource?
    /// The name that the peer must prove; "" for the host of the URL.
    package var serverName = ""
    package var skipsVerification = false
    /// Nil: TLS 1.2.
    package var minVersion: Version?
    /// Nil: the newest.
    package var maxVersion: Version?

    package init() {}

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("config.plain")
        authorities = try SecretSource.take(
            "ca", from: &section, complaint: "at most one of ca, ca_file & ca_ref must be configured",
            baseDirectory: baseDirectory)
        certificate = try SecretSource.take(
            "cert", from: &section, complaint: "at most one of cert, cert_file & cert_ref must be configured",
            baseDirectory: baseDirectory)
        key = try SecretSource.take(
            "key", from: &section, complaint: "at most one of key and key_file must be configured",
            baseDirectory: baseDirectory)
        serverName = try section.string("server_name") ?? ""
        skipsVerification = try section.bool("insecure_skip_verify") ?? false
        minVersion = try TLSSection.version(section.present("min_version"))
        maxVersion = try TLSSection.version(section.present("max_version"))
        try section.finish()
        if certificate != nil, key == nil {
            throw node.error(
                "exactly one of key or key_file must be configured when a client certificate is configured")
        }
        if key != nil, certificate == nil {
            throw node.error("exactly one of cert or cert_file must be configured when a client key is configured")
        }
        if let minVersion, let maxVersion, maxVersion < minVersion {
            throw node.error(
                "tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified")
        }
    }

    private static func version(_ node: ConfigNode?) throws(ConfigError) -> Version? {
        guard let node else { return nil }
        let text = try node.string()
        guard let version = Version(rawValue: text) else { throw node.error("unknown TLS version: \(text)") }
        return version
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = []
        for (source, name) in [(authorities, "ca"), (certificate, "cert")] {
            switch source {
            // Certificates are public.
            case .inline(let text)?: entries.append((name, .text(text.text)))
            case .file(let path)?: entries.append((name + "_file", .text(path)))
            case nil: break
            }
        }
        if let key { entries.append(key.output("key")) }
        if !serverName.isEmpty { entries.append(("server_name", .text(serverName))) }
        entries.append(("insecure_skip_verify", .flag(skipsVerification)))
        if let minVersion { entries.append(("min_version", .text(minVersion.rawValue))) }
        if let maxVersion { entries.append(("max_version", .text(maxVersion.rawValue))) }
        return .mapping(entries)
    }
}
