package import ConfigTree

/// How to talk to somebody else's server: the `http_config` keys that stand inline in a scrape job, an Alertmanager
/// entry, a remote end, a discovery. Files are named here and read when a request is made.
package struct HTTPClientSection: Sendable, Hashable {
    package struct BasicAuth: Sendable, Hashable {
        package enum Username: Sendable, Hashable {
            case inline(String)
            case file(String)
        }

        package var username: Username
        package var password: SecretSource
    }

    package struct Authorization: Sendable, Hashable {
        /// The word before the credentials: `Bearer`.
        package var scheme: String
        package var credentials: SecretSource
    }

    package var basicAuth: BasicAuth?
    package var authorization: Authorization?
    package var oauth2: OAuth2Section?
    package var followsRedirects = true
    package var enablesHTTP2 = true
    package var tls = TLSSection()
    package var proxy = ProxySection()
    package var headers: [HeaderSection] = []

    package init() {}

    /// Takes the client's keys out of a section that holds others too.
    /// - Parameters:
    ///   - baseDirectory: where relative file names start.
    ///   - enablesHTTP2: the owner's default.
    package init(
        taking section: inout ConfigSection, baseDirectory: String, enablesHTTP2 defaultHTTP2: Bool = true
    ) throws(ConfigError) {
        let place = section.node
        let bearer = try SecretSource.take(
            "bearer_token", from: &section,
            complaint: "at most one of bearer_token & bearer_token_file must be configured",
            baseDirectory: baseDirectory)
        let basicNode = section.present("basic_auth")
        let oauthNode = section.present("oauth2")
        if bearer != nil, basicNode != nil || oauthNode != nil {
            throw place.error("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured")
        }
        if let basicNode { basicAuth = try HTTPClientSection.basicAuth(basicNode, baseDirectory) }
        if let node = section.present("authorization") {
            guard bearer == nil else {
                throw place.error("authorization is not compatible with bearer_token & bearer_token_file")
            }
            authorization = try HTTPClientSection.authorization(node, baseDirectory)
        } else if let bearer {
            authorization = Authorization(scheme: "Bearer", credentials: bearer)
        }
        guard [basicNode != nil, oauthNode != nil, authorization != nil].count(where: { $0 }) < 2 else {
            throw place.error("at most one of basic_auth, oauth2 & authorization must be configured")
        }
        if let oauthNode { oauth2 = try OAuth2Section(oauthNode, baseDirectory: baseDirectory) }
        followsRedirects = try section.bool("follow_redirects") ?? true
        enablesHTTP2 = try section.bool("enable_http2") ?? defaultHTTP2
        if let node = section.present("tls_config") { tls = try TLSSection(node, baseDirectory: baseDirectory) }
        proxy = try ProxySection(taking: &section)
        if let node = section.present("http_headers") {
            headers = try HeaderSection.list(node, baseDirectory: baseDirectory)
        }
    }

    /// Whether requests carry credentials of their own.
    package var hasCredentials: Bool { basicAuth != nil || authorization != nil || oauth2 != nil }

    private static func basicAuth(_ node: ConfigNode, _ base: String) throws(ConfigError) -> BasicAuth {
        var section = try node.section("config.plain")
        let username = try SecretSource.take(
            "username", from: &section,
            complaint: "at most one of basic_auth username, username_file & username_ref must be configured",
            baseDirectory: base)
        let password = try SecretSource.take(
            "password", from: &section,
            complaint: "at most one of basic_auth password, password_file & password_ref must be configured",
            baseDirectory: base)
        try section.finish()
        let user: BasicAuth.Username
        switch username {
        case .inline(let name)?: user = .inline(name.text)
        case .file(let path)?: user = .file(path)
        case nil: user = .inline("")
        }
        return BasicAuth(username: user, password: password ?? .inline(Secret("")))
    }

    private static func authorization(_ node: ConfigNode, _ base: String) throws(ConfigError) -> Authorization {
        var section = try node.section("config.Authorization")
        let credentials = try SecretSource.take(
            "credentials", from: &section,
            complaint: "at most one of authorization credentials & credentials_file must be configured",
            baseDirectory: base)
        let type = (try section.string("type") ?? "").trimmingSpaces
        try section.finish()
        guard type.lowercased() != "basic" else {
            throw node.error("authorization type cannot be set to \"basic\", use \"basic_auth\" instead")
        }
        return Authorization(scheme: type.isEmpty ? "Bearer" : type, credentials: credentials ?? .inline(Secret("")))
    }
}

extension HTTPClientSection {
    /// The section's keys with defaults filled in and secrets masked, to stand among those of its owner.
    package var output: [(key: String, value: ConfigOutput)] {
        var entries: [(key: String, value: ConfigOutput)] = []
        if let basicAuth {
            var inner: [(key: String, value: ConfigOutput)] = []
            switch basicAuth.username {
            case .inline(let name): inner.append(("username", .text(name)))
            case .file(let path): inner.append(("username_file", .text(path)))
            }
            if !basicAuth.password.isEmpty { inner.append(basicAuth.password.output("password")) }
            entries.append(("basic_auth", .mapping(inner)))
        }
        if let authorization {
            var inner: [(key: String, value: ConfigOutput)] = [("type", .text(authorization.scheme))]
            if !authorization.credentials.isEmpty { inner.append(authorization.credentials.output("credentials")) }
            entries.append(("authorization", .mapping(inner)))
        }
        if let oauth2 { entries.append(("oauth2", oauth2.output)) }
        if tls != TLSSection() { entries.append(("tls_config", tls.output)) }
        entries.append(("follow_redirects", .flag(followsRedirects)))
        entries.append(("enable_http2", .flag(enablesHTTP2)))
        entries += proxy.output
        if !headers.isEmpty { entries.append(("http_headers", .mapping(headers.map(\.output)))) }
        return entries
    }
}

extension String {
    /// Without spaces and tabs at either end.
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = drop(while: isSpace)
        return String(start.reversed().drop(while: isSpace).reversed())
    }
}
