import ConfigTree

/// `oauth2`: a token is fetched with a client's credentials, or with a statement that it signs, and sent as authorization.
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

    /// Whether the token is asked for with a signed statement.
    var usesJWT: Bool
    var jwt: JWTGrant

    private static let secretComplaint =
        "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured"

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
        let grantNode = section.take("grant_type")
        let grant = try grantNode?.string() ?? ""
        usesJWT = grant == JWTGrant.name
        jwt = try JWTGrant(taking: &section, baseDirectory: baseDirectory)
        proxy = try ProxySection(taking: &section)
        try section.finish()
        guard !clientID.isEmpty else { throw node.error("oauth2 client_id must be configured") }
        guard !tokenURL.isEmpty else { throw node.error("oauth2 token_url must be configured") }
        if let grantNode, !usesJWT, !["", "client_credentials"].contains(grant) {
            throw grantNode.error("oauth2: grant_type \"\(grant)\" is not supported by Hearth yet")
        }
        if let urlNode, URLReference(tokenURL) == nil {
            throw urlNode.error("oauth2 token_url: unsupported URL \"\(ConfigURL(tokenURL).redacted)\"")
        }
    }

    var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [("client_id", .text(clientID))]
        if let clientSecret { entries.append(clientSecret.output("client_secret")) }
        if usesJWT { entries.append(("grant_type", .text(JWTGrant.name))) }
        entries += jwt.output
        if !scopes.isEmpty { entries.append(("scopes", .list(scopes.map { .text($0) }))) }
        entries.append(("token_url", .text(ConfigURL(tokenURL).redacted)))
        if !endpointParameters.isEmpty {
            entries.append(("endpoint_params", .mapping(endpointParameters.map { ($0.name, .text($0.value)) })))
        }
        if tls != TLSSection() { entries.append(("tls_config", tls.output)) }
        return .mapping(entries + proxy.output)
    }
}
