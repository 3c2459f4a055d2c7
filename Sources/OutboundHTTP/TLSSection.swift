package import ConfigTree

/// `tls_config` of a client. Certificates and keys may be given as files, which are read again when they change, or
/// inline as PEM.
package struct TLSSection: Sendable, Hashable {
    package enum PEM: Sendable, Hashable {
        case inline(Secret)
        case file(String)
    }

    /// Nil: the system's authorities.
    package var authorities: PEM?
    package var certificate: PEM?
    package var key: PEM?
    package var skipsVerification = false

    package init() {}

    init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("tls_config")
        authorities = try TLSSection.pem(&section, "ca", "ca_file", baseDirectory)
        certificate = try TLSSection.pem(&section, "cert", "cert_file", baseDirectory)
        key = try TLSSection.pem(&section, "key", "key_file", baseDirectory)
        skipsVerification = try section.bool("insecure_skip_verify") ?? false
        guard (certificate == nil) == (key == nil) else {
            throw node.error(
                certificate == nil
                    ? "exactly one of cert or cert_file must be configured when a client key is configured"
                    : "exactly one of key or key_file must be configured when a client certificate is configured")
        }
        // The client takes the name it checks from the URL; an empty name means just that.
        if let name = section.take("server_name"), !(try name.string()).isEmpty {
            throw name.error("tls_config: \"server_name\" is not supported by Hearth yet")
        }
        try section.refuse(unsupported: ["min_version", "max_version", "ca_ref", "cert_ref", "key_ref"])
        try section.finish()
    }

    private static func pem(
        _ section: inout ConfigSection, _ inline: String, _ file: String, _ base: String
    ) throws(ConfigError) -> PEM? {
        let place = section.node
        let text = try section.string(inline) ?? ""
        let path = try section.string(file) ?? ""
        guard text.isEmpty || path.isEmpty else {
            throw place.error("at most one of \(inline) and \(file) must be configured")
        }
        if !path.isEmpty { return .file(ConfigFile.resolve(path, in: base)) }
        return text.isEmpty ? nil : .inline(Secret(text))
    }

    var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = []
        for (pem, name) in [(authorities, "ca"), (certificate, "cert"), (key, "key")] {
            switch pem {
            case .inline(let text)?:
                // Certificates are public; a key is not.
                entries.append((name, name == "key" ? .plain(Secret.mask) : .text(text.text)))
            case .file(let path)?: entries.append((name + "_file", .text(path)))
            case nil: break
            }
        }
        entries.append(("insecure_skip_verify", .flag(skipsVerification)))
        return .mapping(entries)
    }
}
