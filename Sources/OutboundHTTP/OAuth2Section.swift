import ConfigTree

/// `oauth2`: a token is fetched with a client's credentials and sent as authorization.
package struct OAuth2Section: Sendable, Hashable {
    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    package var clientID: String
    package var clientSecret: SecretSource?
    package var scopes: [String]
    package var tokenURL: String
    /// Further fields of the token request, sorted by name.
    package var endpointParameters: [Parameter]
    package var tls = TLSSection()
    package var proxy = ProxySection()

    private static let jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    private static let algorithms = ["RS256", "RS384", "RS512"]
    private static let secretComplaint =
        "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured"
    private static let keyComplaint =
        "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must "
        + "be configured using grant-type=" + jwtGrant

    init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("config.plain")
        clientID = try section.string("client_id") ?? ""
        clientSecret = try SecretSource.take(
            "client_secret", from: &section, complaint: OAuth2Section.secretComplaint, baseDirectory: baseDirectory)
        scopes = try section.strings("scopes") ?? []
        let urlNode = section.take("token_url")
        tokenURL = try urlNode?.string() ?? ""
        endpointParameters = []
        for entry in try section.take("endpoint_params")?.entries() ?? [] {
            endpointParameters.append(Parameter(name: entry.key, value: try entry.value.string()))
        }
        endpointParameters.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        if let node = section.present("tls_config") { tls = try TLSSection(node, baseDirectory: baseDirectory) }
        let grant = try OAuth2Section.takeGrant(&section, baseDirectory)
        proxy = try ProxySection(taking: &section)
        try section.finish()
        guard !clientID.isEmpty else { throw node.error("oauth2 client_id must be configured") }
        guard !tokenURL.isEmpty else { throw node.error("oauth2 token_url must be configured") }
        if let grant {
            throw grant.error("oauth2: grant_type \"\(try grant.string())\" is not supported by Hearth yet")
        }
        if let urlNode, URLReference(tokenURL) == nil {
            throw urlNode.error("oauth2 token_url: unsupported URL \"\(ConfigURL(tokenURL).redacted)\"")
        }
    }

    /// Takes the keys about the grant. - Returns: the node of `grant_type` where it is one that is not served.
    private static func takeGrant(
        _ section: inout ConfigSection, _ baseDirectory: String
    ) throws(ConfigError) -> ConfigNode? {
        let grant = section.take("grant_type")
        for key in ["client_certificate_key_id", "iss", "audience"] { _ = try section.string(key) }
        _ = try section.take("claims")?.entries()
        if let node = section.present("signature_algorithm") {
            let algorithm = try node.string()
            guard algorithms.contains(algorithm) else {
                throw node.error("unsupported oauth2 signature_algorithm \"\(algorithm)\"")
            }
        }
        _ = try SecretSource.take(
            "client_certificate_key", from: &section, complaint: keyComplaint, baseDirectory: baseDirectory)
        guard let grant, !["", "client_credentials"].contains(try grant.string()) else { return nil }
        return grant
    }

    var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [("client_id", .text(clientID))]
        if let clientSecret { entries.append(clientSecret.output("client_secret")) }
        if !scopes.isEmpty { entries.append(("scopes", .list(scopes.map { .text($0) }))) }
        entries.append(("token_url", .text(ConfigURL(tokenURL).redacted)))
        if !endpointParameters.isEmpty {
            entries.append(("endpoint_params", .mapping(endpointParameters.map { ($0.name, .text($0.value)) })))
        }
        if tls != TLSSection() { entries.append(("tls_config", tls.output)) }
        return .mapping(entries + proxy.output)
    }
}
