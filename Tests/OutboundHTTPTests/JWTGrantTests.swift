import ConfigTree
import NIOPosix
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("OAuth2 with a signed statement")
struct JWTGrantTests {
    /// A statement whose signature was found to be the one that its key makes of it: there is but one
    /// (RFC 8017, 8.2.1).
    private struct Statement {
        var header: [String: String]
        /// Values are JSON.
        var claims: [String: JSONValue]
        var form: [String: String]
    }

    private static func section(_ oauth2: String, tokenURL: String = "http://t/token") throws -> HTTPClientSection {
        var section = try ConfigNode.parse(
            "oauth2: {client_id: me, token_url: '\(tokenURL)', grant_type: '\(JWTGrant.name)', \(oauth2)}",
            file: "t.yml"
        ).section("test")
        return try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
    }

    private static func quoted(_ pem: String) -> String {
        "\"" + pem.split(separator: "\n").joined(separator: "\\n") + "\""
    }

    private static func decode(_ text: Substring) throws -> [UInt8] {
        var text = text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        #expect(!text.contains("="))
        while text.count % 4 != 0 { text.append("=") }
        return try #require(Base64.decode(String(text)))
    }

    /// - Parameter pem: the key that is to have signed.
    private static func read(_ assertion: String, pem: String) throws -> Statement {
        let parts = assertion.split(separator: ".", omittingEmptySubsequences: false)
        try #require(parts.count == 3)
        let signed = Array((parts[0] + "." + parts[1]).utf8)
        let header = try ConfigNode.parse(String(decoding: try decode(parts[0]), as: UTF8.self), file: "header")
        var statement = Statement(header: [:], claims: [:], form: [:])
        for entry in try header.entries() { statement.header[entry.key] = try entry.value.string() }
        let payload = try ConfigNode.parse(String(decoding: try decode(parts[1]), as: UTF8.self), file: "payload")
        for entry in try payload.entries() { statement.claims[entry.key] = try JSONValue(entry.value) }
        let algorithm = try #require(JWTGrant.Algorithm(rawValue: statement.header["alg"] ?? ""))
        let isValid = try decode(parts[2]) == JWTGrant.signature(of: signed, algorithm, Secret(pem))
        #expect(isValid)
        return statement
    }

    private static func form(of request: LoopbackServer.Request) -> [String: String] {
        var form: [String: String] = [:]
        for field in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
            let pair = field.split(separator: "=", maxSplits: 1).map {
                PercentEncoding.decode($0, plusIsSpace: true)
            }
            form[pair.first ?? ""] = pair.count > 1 ? pair[1] : ""
        }
        return form
    }

    /// A token server and a target beside it that tells what authorization it was given.
    private func run(
        _ oauth2: String, _ body: (HTTPClientTransport, OutboundRequest) async throws -> Void
    ) async throws -> (requests: [LoopbackServer.Request], tokenURL: String) {
        let seen = Mutex<[LoopbackServer.Request]>([])
        let tokens = try await LoopbackServer.start { request in
            let count = seen.withLock { seen in
                seen.append(request)
                return seen.count
            }
            return .answer(
                headers: ["content-type": "application/json"],
                body: Array(#"{"access_token":"t\#(count)","token_type":"Bearer","expires_in":3600}"#.utf8))
        }
        let target = try await LoopbackServer.start { .answer(body: Array(($0.headers["authorization"] ?? "").utf8)) }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let outcome: Result<Void, any Error>
        do {
            let client = try Self.section(oauth2, tokenURL: tokens.url("/token"))
            let request = OutboundRequest(
                .get, target.url(), headers: [("User-Agent", "tester")], client: client, timeout: 60_000)
            outcome = .success(try await body(transport, request))
        } catch { outcome = .failure(error) }
        await transport.shutdown()
        let url = tokens.url("/token")
        await tokens.stop()
        await target.stop()
        try outcome.get()
        return (seen.withLock { $0 }, url)
    }

    @Test("A token is asked for with a statement as RFC 7523 has it, sent along, and kept")
    func token() async throws {
        let start = SystemClock().now() / 1000
        let (requests, tokenURL) = try await run(
            """
            client_certificate_key: \(Self.quoted(RSAFixture.key)), client_certificate_key_id: k1,
            scopes: [a, b], client_secret: unused, endpoint_params: {x: 'y z', grant_type: other}
            """
        ) { transport, request in
            for _ in 0..<3 {
                let answer = try await transport.send(request)
                #expect(String(decoding: answer.body, as: UTF8.self) == "Bearer t1")
            }
        }
        #expect(requests.count == 1)
        let request = try #require(requests.first)
        #expect(request.method == "POST" && request.path == "/token")
        #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
        #expect(request.headers["user-agent"] == "tester")
        #expect(request.headers["authorization"] == nil)
        let form = Self.form(of: request)
        #expect(form.keys.sorted() == ["assertion", "grant_type", "x"] && form["x"] == "y z")
        #expect(form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
        let statement = try Self.read(form["assertion"] ?? "", pem: RSAFixture.key)
        #expect(statement.header == ["alg": "RS256", "typ": "JWT", "kid": "k1"])
        let claims = statement.claims
        #expect(claims.keys.sorted() == ["aud", "exp", "iat", "iss", "jti", "scope", "sub"])
        #expect(claims["iss"] == .text("me") && claims["sub"] == .text("me"))
        #expect(claims["aud"] == .text(tokenURL) && claims["scope"] == .text("a b"))
        guard case .int(let issued)? = claims["iat"], case .int(let end)? = claims["exp"],
            case .text(let identifier)? = claims["jti"]
        else {
            Issue.record("\(claims)")
            return
        }
        #expect((start...SystemClock().now() / 1000).contains(Int64(issued)) && end == issued + 600)
        #expect(identifier.utf8.count == 36 && Array(identifier)[14] == "4")
    }

    @Test(
        "The statement says what is configured, with each algorithm and either kind of key",
        arguments: RSAFixture.signatures)
    func claims(algorithm: String, signature: String) throws {
        let text = """
            signature_algorithm: \(algorithm), iss: issuer, audience: aud,
            claims: {n: 1, x: 1.5, t: true, nil: null, s: "a\\"\\n/ü", l: [1, "2"], o: {b: 1, a: {}}, sub: other}
            """
        let client = try Self.section(text)
        let oauth2 = try #require(client.oauth2)
        for pem in [RSAFixture.key, RSAFixture.keyPKCS1] {
            let assertion = try oauth2.jwt.assertion(
                for: oauth2, pem: Secret(pem), now: 1_700_000_000_999, identifier: "id")
            let statement = try Self.read(assertion, pem: RSAFixture.key)
            #expect(statement.header == ["alg": algorithm, "typ": "JWT"])
            let parts = assertion.split(separator: ".")
            #expect(parts[2] == signature)
            let payload = try Self.decode(parts[1])
            #expect(
                String(decoding: payload, as: UTF8.self)
                    == #"{"aud":"aud","exp":1700000600,"iat":1700000000,"iss":"issuer","jti":"id","l":[1,"2"],"n":1,"#
                    + #""nil":null,"o":{"a":{},"b":1},"s":"a\"\u000a/ü","sub":"other","t":true,"x":1.5}"#)
        }
    }

    @Test("A key that is replaced in its file is used at once; no two statements are the same")
    func keyFile() async throws {
        let file = TemporaryFile(RSAFixture.key)
        defer { file.remove() }
        let (requests, _) = try await run("client_certificate_key_file: \(file.path)") { transport, request in
            let first = try await transport.send(request)
            #expect(String(decoding: first.body, as: UTF8.self) == "Bearer t1")
            file.write(RSAFixture.otherKey)
            let second = try await transport.send(request)
            #expect(String(decoding: second.body, as: UTF8.self) == "Bearer t2")
        }
        try #require(requests.count == 2)
        let one = try Self.read(Self.form(of: requests[0])["assertion"] ?? "", pem: RSAFixture.key)
        let two = try Self.read(Self.form(of: requests[1])["assertion"] ?? "", pem: RSAFixture.otherKey)
        #expect(one.claims["jti"] != two.claims["jti"])
    }

    @Test(
        "A key that is none fails the request with the reason, and is not shown",
        arguments: [
            ("client_certificate_key: hush", "Key must be a PEM encoded PKCS1 or PKCS8 key"),
            ("iss: i", "Key must be a PEM encoded PKCS1 or PKCS8 key"),
            (
                #"client_certificate_key: "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n""#,
                "key is not a valid RSA private key"
            ),
            (
                "client_certificate_key: \(quoted(TLSFixture.key))",
                "key is not a valid RSA private key: it is of another kind"
            ),
            (
                "client_certificate_key: \(quoted(RSAFixture.shortKey))",
                "key is not a valid RSA private key: it has fewer than 1024 bits"
            ),
            ("client_certificate_key: \(quoted(RSAFixture.encryptedKey))", "key is not a valid RSA private key"),
            ("client_certificate_key_file: /nowhere/key", "unable to read oauth2 client certificate key: "),
        ])
    func badKeys(oauth2: String, message: String) async throws {
        let (requests, _) = try await run(oauth2) { transport, request in
            let error = await #expect(throws: OutboundError.self) { _ = try await transport.send(request) }
            #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("hush") == false && error?.kind == .credentials)
        }
        #expect(requests.isEmpty)
    }

    @Test("The grant's keys are shown with secrets masked")
    func output() throws {
        let client = try Self.section(
            """
            client_certificate_key: \(Self.quoted(RSAFixture.key)), client_certificate_key_id: k, iss: i,
            signature_algorithm: RS512, audience: a, claims: {num: 1, t: '1'}
            """)
        let yaml = ConfigOutput.mapping(client.output).yaml
        #expect(
            yaml.hasPrefix(
                """
                oauth2:
                  client_id: me
                  grant_type: urn:ietf:params:oauth:grant-type:jwt-bearer
                  client_certificate_key_id: k
                  client_certificate_key: <secret>
                  signature_algorithm: RS512
                  iss: i
                  audience: a
                  claims:
                    num: 1
                    t: "1"
                  token_url: http://t/token

                """), "\(yaml)")
    }
}
