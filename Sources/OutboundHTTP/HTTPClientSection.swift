package import ConfigTree

/// How to talk to somebody else's server: the `http_config` keys that stand inline in a scrape job and in an
/// Alertmanager entry. Files are named here and read when a request is made.
package struct HTTPClientSection: Sendable, Hashable {
    /// A secret given in the configuration or in a file beside it.
    package enum SecretSource: Sendable, Hashable {
        case inline(Secret)
        case file(String)
    }

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
    package var followsRedirects = true
    package var enablesHTTP2 = true
    package var tls = TLSSection()

    package init() {}

    private static let unsupported = [
        "oauth2", "proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header", "http_headers",
    ]

    /// Takes the client's keys out of a section that holds others too.
    /// - Parameter baseDirectory: where relative file names start.
    package init(taking section: inout ConfigSection, baseDirectory: String) throws(ConfigError) {
        try section.refuse(unsupported: HTTPClientSection.unsupported)
        let place = section.node
        if let node = section.take("basic_auth"), !node.isNull {
            basicAuth = try HTTPClientSection.basicAuth(node, baseDirectory)
        }
        if let node = section.take("authorization"), !node.isNull {
            authorization = try HTTPClientSection.authorization(node, baseDirectory)
        }
        let bearer = try HTTPClientSection.secret(
            &section, inline: "bearer_token", file: "bearer_token_file", baseDirectory)
        if let bearer {
            guard authorization == nil, basicAuth == nil else {
                throw place.error(
                    "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured")
            }
            authorization = Authorization(scheme: "Bearer", credentials: bearer)
        } else if authorization != nil, basicAuth != nil {
            throw place.error("at most one of basic_auth, oauth2 & authorization must be configured")
        }
        followsRedirects = try section.bool("follow_redirects") ?? true
        enablesHTTP2 = try section.bool("enable_http2") ?? true
        if let node = section.take("tls_config"), !node.isNull {
            tls = try TLSSection(node, baseDirectory: baseDirectory)
        }
    }

    private static func basicAuth(_ node: ConfigNode, _ base: String) throws(ConfigError) -> BasicAuth {
        var section = try node.section("basic_auth")
        let username = try section.string("username") ?? ""
        let usernameFile = try section.string("username_file") ?? ""
        guard username.isEmpty || usernameFile.isEmpty else {
            throw node.error("at most one of basic_auth username & username_file must be configured")
        }
        let password = try secret(&section, inline: "password", file: "password_file", base)
        try section.refuse(unsupported: ["username_ref", "password_ref"])
        try section.finish()
        return BasicAuth(
            username: usernameFile.isEmpty ? .inline(username) : .file(ConfigFile.resolve(usernameFile, in: base)),
            password: password ?? .inline(Secret("")))
    }

    private static func authorization(_ node: ConfigNode, _ base: String) throws(ConfigError) -> Authorization {
        var section = try node.section("authorization")
        let type = (try section.string("type") ?? "").trimmingSpaces
        guard type.lowercased() != "basic" else {
            throw node.error("authorization type cannot be set to \"basic\", use \"basic_auth\" instead")
        }
        let credentials = try secret(&section, inline: "credentials", file: "credentials_file", base)
        try section.refuse(unsupported: ["credentials_ref"])
        try section.finish()
        return Authorization(scheme: type.isEmpty ? "Bearer" : type, credentials: credentials ?? .inline(Secret("")))
    }

    private static func secret(
        _ section: inout ConfigSection, inline: String, file: String, _ base: String
    ) throws(ConfigError) -> SecretSource? {
        let place = section.node
        let text = try section.string(inline) ?? ""
        let path = try section.string(file) ?? ""
        guard text.isEmpty || path.isEmpty else {
            throw place.error("at most one of \(inline) & \(file) must be configured")
        }
        if !path.isEmpty { return .file(ConfigFile.resolve(path, in: base)) }
        return text.isEmpty ? nil : .inline(Secret(text))
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
            inner.append(HTTPClientSection.output(basicAuth.password, "password", "password_file"))
            entries.append(("basic_auth", .mapping(inner)))
        }
        if let authorization {
            let credentials = HTTPClientSection.output(authorization.credentials, "credentials", "credentials_file")
            entries.append(("authorization", .mapping([("type", .text(authorization.scheme)), credentials])))
        }
        if tls != TLSSection() { entries.append(("tls_config", tls.output)) }
        entries.append(("follow_redirects", .flag(followsRedirects)))
        entries.append(("enable_http2", .flag(enablesHTTP2)))
        return entries
    }

    private static func output(
        _ source: SecretSource, _ inline: String, _ file: String
    ) -> (key: String, value: ConfigOutput) {
        switch source {
        case .inline: (inline, .plain(Secret.mask))
        case .file(let path): (file, .text(path))
        }
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
