import ConfigTree
import Testing

@testable import OutboundHTTP

@Suite("HTTP client configuration")
struct HTTPClientSectionTests {
    private func read(_ text: String) throws -> HTTPClientSection {
        var section = try ConfigNode.parse(text, file: "t.yml").section("test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/etc/hearth")
        try section.finish()
        return client
    }

    @Test("Nothing said means redirects, HTTP/2, no credentials")
    func defaults() throws {
        let client = try read("{}")
        #expect(client == HTTPClientSection())
        #expect(client.followsRedirects && client.enablesHTTP2)
    }

    @Test("Each way to give credentials makes its header")
    func headers() throws {
        let cases = [
            ("basic_auth: {username: Aladdin, password: open sesame}", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("basic_auth: {username: u}", "Basic dTo="),
            ("authorization: {credentials: t}", "Bearer t"),
            ("authorization: {type: Token, credentials: t}", "Token t"),
            ("authorization: {}", "Bearer "),
            ("bearer_token: t", "Bearer t"),
        ]
        for (text, header) in cases { #expect(try read(text).authorizationHeader() == header) }
        #expect(try read("{}").authorizationHeader() == nil)
    }

    @Test("A secret is in no description of the section and not in its rendering")
    func secrets() throws {
        for text in [
            "basic_auth: {username: u, password: hush}", "authorization: {credentials: hush}", "bearer_token: hush",
            "tls_config: {cert: public, key: hush}", "http_headers: {a: {secrets: [hush]}}",
            "oauth2: {client_id: i, client_secret: hush, token_url: 'http://t/'}",
            "{proxy_url: 'http://p', proxy_connect_header: {a: [hush]}}",
        ] {
            let client = try read(text)
            #expect(!String(describing: client).contains("hush"))
            #expect(!String(reflecting: client).contains("hush"))
            let rendered = ConfigOutput.mapping(client.output).yaml
            #expect(!rendered.contains("hush"))
            #expect(rendered.contains("<secret>"))
        }
    }

    @Test(
        "Contradictions and the unsupported are refused",
        arguments: [
            ("basic_auth: {username: a, username_file: b}", "at most one of"),
            ("basic_auth: {password: a, password_file: b}", "at most one of"),
            ("authorization: {type: Basic, credentials: x}", "authorization type cannot be set to \"basic\""),
            (
                "basic_auth: {username_ref: a}", "unable to use \"username_ref\": cannot use secret ref without manager"
            ),
            (
                "oauth2: {client_id: x, token_url: 'http://t/', client_secret_ref: a}",
                "unable to use \"client_secret_ref\": cannot use secret ref without manager"
            ),
            (
                "tls_config: {ca_ref: a}", "unable to use \"ca_ref\": cannot use secret ref without manager"
            ),
            ("bearer_token: a\noauth2: {}", "at most one of basic_auth, oauth2, bearer_token & bearer_token_file"),
            ("bearer_token: a\nauthorization: {}", "authorization is not compatible with bearer_token"),
            ("basic_auth: {username: a}\noauth2: {client_id: x}", "at most one of basic_auth, oauth2 & authorization"),
            (
                "authorization: {credentials: a, credentials_file: b}",
                "at most one of authorization credentials & credentials_file must be configured"
            ),
            ("tls_config: {ca: a, ca_file: b}", "at most one of ca, ca_file & ca_ref must be configured"),
            ("tls_config: {cert_file: a}", "exactly one of key or key_file must be configured"),
            ("tls_config: {key_file: a}", "exactly one of cert or cert_file must be configured"),
            ("tls_config: {min_version: TLS14}", "unknown TLS version: TLS14"),
            ("tls_config: {min_version: TLS13, max_version: TLS12}", "must be greater than or equal to"),
            ("proxy_url: https://p", "not supported by Hearth yet"),
            ("proxy_url: 'http://p:x/'", "invalid port \":x\" after host"),
            ("no_proxy: a", "if no_proxy is configured, proxy_url must also be configured"),
            (
                "proxy_url: http://p\nproxy_from_environment: true",
                "if proxy_from_environment is configured, proxy_url must not be configured"
            ),
            (
                "proxy_connect_header: {a: [b]}",
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"
            ),
            ("oauth2: {token_url: 'http://t/'}", "oauth2 client_id must be configured"),
            ("oauth2: {client_id: x}", "oauth2 token_url must be configured"),
            (
                "oauth2: {client_id: x, token_url: 'http://t/', client_secret: a, client_secret_file: b}",
                "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured"
            ),
            (
                "oauth2: {client_id: x, token_url: 'http://t/', grant_type: password}",
                "oauth2: grant_type \"password\" is not supported by Hearth yet"
            ),
            (
                "oauth2: {client_id: x, token_url: 'http://t/', signature_algorithm: HS256}",
                "unsupported oauth2 signature_algorithm \"HS256\""
            ),
            (
                "oauth2: {client_id: x, token_url: 'http://t/', client_certificate_key: a, client_certificate_key_file: b}",
                "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref"
            ),
            (
                "oauth2: {client_id: x, token_url: 'http://t/', client_certificate_key_ref: a}",
                "unable to use \"client_certificate_key_ref\": cannot use secret ref without manager"
            ),
            ("oauth2: {client_id: x, token_url: 'http://t/', claims: [1]}", "cannot unmarshal !!seq into"),
            ("oauth2: {client_id: x, token_url: 'http://t/', claims: {a: .nan}}", "json: unsupported value: nan"),
            ("oauth2: {client_id: x, token_url: 'http://t/', claim: {}}", "field claim not found in type config.plain"),
            ("proxy_url: 'https://p'", "proxy_url: scheme \"https\" is not supported by Hearth yet"),
            ("proxy_url: 'socks4://p'", "proxy_url: scheme \"socks4\" is not supported by Hearth yet"),
            ("http_headers: {authorization: {values: [a]}}", "setting header \"Authorization\" is not allowed"),
            ("http_headers: {'a b': {values: [a]}}", "\"a b\" is not a valid header name"),
            ("http_headers: {a: {value: b}}", "field value not found in type config.Header"),
            ("basic_auth: {nonsense: 1}", "field nonsense not found in type config.plain"),
        ])
    func refusals(text: String, expected: String) {
        let error = #expect(throws: ConfigError.self) { _ = try read(text) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test("Locations lead where RFC 3986 says")
    func references() throws {
        let base = try #require(URLReference("http://Host:8080/a/b?c=d#e"))
        #expect(base.host == "host" && base.port == 8080 && base.target == "/a/b?c=d")
        #expect(base.resolving("/x") == "http://host:8080/x")
        #expect(base.resolving("x") == "http://host:8080/a/x")
        #expect(base.resolving("?q") == "http://host:8080/a/b?q")
        #expect(base.resolving("//other/x") == "http://other/x")
        #expect(base.resolving("https://other/x") == "https://other/x")
        #expect(base.resolving("ftp://other/x") == nil)
        #expect(URLReference("http://[::1]:9090/")?.host == "[::1]")
        #expect(URLReference("nonsense") == nil)
        #expect(URLReference("http://") == nil)
        #expect(URLReference("http://h:99999/") == nil)
    }

    @Test("Credentials stay with their host and do not leave TLS")
    func credentialScope() throws {
        let secure = try #require(URLReference("https://a/"))
        let plain = try #require(URLReference("http://a/"))
        let other = try #require(URLReference("https://b/"))
        #expect(plain.sharesCredentials(with: secure))
        #expect(!secure.sharesCredentials(with: plain))
        #expect(!secure.sharesCredentials(with: other))
    }
}
