import CCryptoShim
import ConfigTree
import SeriesModel

/// The keys of `oauth2` about the grant `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523, 2.1): the client asks
/// for a token with a statement that it signs with a key of its own.
struct JWTGrant: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5 (RFC 7518, 3.3).
    enum Algorithm: String, Sendable, CaseIterable {
        case rs256 = "RS256"
        case rs384 = "RS384"
        case rs512 = "RS512"

        var bitsOfSHA: Int32 {
            switch self {
            case .rs256: 256
            case .rs384: 384
            case .rs512: 512
            }
        }
    }

    static let name = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    /// How long a statement may be used. s
    private static let lifetime: Int64 = 600
    private static let keyComplaint =
        "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must "
        + "be configured using grant-type=" + name

    /// In PEM, by PKCS #1 or PKCS #8.
    var key: SecretSource?
    /// For the header of the statement; "" for none.
    var keyID: String
    /// Nil where none is given.
    var algorithm: Algorithm?
    /// "" for the client's own name.
    var issuer: String
    /// "" for the URL of the tokens.
    var audience: String
    /// Further claims; they take the place of others of the same name.
    var claims: [JSONValue.Member]

    init(taking section: inout ConfigSection, baseDirectory: String) throws(ConfigError) {
        key = try SecretSource.take(
            "client_certificate_key", from: &section, complaint: JWTGrant.keyComplaint, baseDirectory: baseDirectory)
        keyID = try section.string("client_certificate_key_id") ?? ""
        if let node = section.present("signature_algorithm") {
            let text = try node.string()
            algorithm = Algorithm(rawValue: text)
            if algorithm == nil, !text.isEmpty {
                throw node.error("unsupported oauth2 signature_algorithm \"\(text)\"")
            }
        }
        issuer = try section.string("iss") ?? ""
        audience = try section.string("audience") ?? ""
        claims = []
        for entry in try section.take("claims")?.entries() ?? [] {
            claims.append(JSONValue.Member(name: entry.key, value: try JSONValue(entry.value)))
        }
    }

    /// A signed statement in the compact form of RFC 7515.
    /// - Parameters:
    ///   - section: the section that the grant belongs to.
    ///   - pem: the text of the key.
    ///   - now: ms since 1970.
    ///   - identifier: unlike that of any other statement.
    /// - Throws: `.credentials` where the key is none.
    func assertion(
        for section: OAuth2Section, pem: Secret, now: Timestamp, identifier: String
    ) throws(OutboundError) -> String {
        let algorithm = algorithm ?? .rs256
        var header = [
            JSONValue.Member(name: "alg", value: .text(algorithm.rawValue)),
            JSONValue.Member(name: "typ", value: .text("JWT")),
        ]
        if !keyID.isEmpty { header.append(JSONValue.Member(name: "kid", value: .text(keyID))) }
        let seconds = now / 1000
        var payload = [
            JSONValue.Member(name: "iss", value: .text(issuer.isEmpty ? section.clientID : issuer)),
            JSONValue.Member(name: "sub", value: .text(section.clientID)),
            JSONValue.Member(name: "aud", value: .text(audience.isEmpty ? section.tokenURL : audience)),
            JSONValue.Member(name: "jti", value: .text(identifier)),
            JSONValue.Member(name: "iat", value: .int(Int(clamping: seconds))),
            JSONValue.Member(name: "exp", value: .int(Int(clamping: seconds.addingClamped(JWTGrant.lifetime)))),
        ]
        if !section.scopes.isEmpty {
            payload.append(JSONValue.Member(name: "scope", value: .text(section.scopes.joined(separator: " "))))
        }
        for claim in claims {
            payload.removeAll { $0.name == claim.name }
            payload.append(claim)
        }
        let signed =
            JWTGrant.encode(Array(JSONValue.object(header).json.utf8)) + "."
            + JWTGrant.encode(Array(JSONValue.object(payload).json.utf8))
        return signed + "." + JWTGrant.encode(try JWTGrant.signature(of: Array(signed.utf8), algorithm, pem))
    }

    /// The same bytes, algorithm and key give the same signature.
    /// - Throws: `.credentials` where the key is none, and where signing fails.
    static func signature(
        of bytes: [UInt8], _ algorithm: Algorithm, _ pem: Secret
    ) throws(OutboundError) -> [UInt8] {
        var text = pem.text
        guard text.contains("-----BEGIN ") else {
            throw OutboundError(
                .credentials, "oauth2: cannot fetch token: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key")
        }
        var status = HEARTH_RSA_FAILED
        let signature = [UInt8](unsafeUninitializedCapacity: Int(HEARTH_RSA_SIGNATURE_ROOM)) { room, count in
            status = text.withUTF8 { text in
                hearth_rsa_sign(
                    text.baseAddress, text.count, algorithm.bitsOfSHA, bytes, bytes.count, room.baseAddress, room.count,
                    &count)
            }
        }
        switch status {
        case HEARTH_RSA_OK: return signature
        case HEARTH_RSA_FAILED: throw OutboundError(.credentials, "oauth2: cannot fetch token: cannot sign")
        case HEARTH_RSA_OTHER_KIND: throw invalidKey(": it is of another kind")
        case HEARTH_RSA_TOO_SHORT: throw invalidKey(": it has fewer than \(HEARTH_RSA_LEAST_BITS) bits")
        default: throw invalidKey("")
        }
    }

    private static func invalidKey(_ reason: String) -> OutboundError {
        OutboundError(.credentials, "oauth2: cannot fetch token: key is not a valid RSA private key" + reason)
    }

    /// A random UUID (RFC 9562, 5.4), for `jti`.
    static func randomIdentifier() -> String {
        var random = SystemRandomNumberGenerator()
        let high = random.next() & ~0xF000 | 0x4000
        let low = random.next() & ~(3 << 62) | 2 << 62
        func hex(_ word: UInt64) -> String {
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        let digits = Array((hex(high) + hex(low)).utf8)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
    }

    /// RFC 4648, section 5, without padding.
    private static func encode(_ bytes: [UInt8]) -> String {
        let text = Base64.encode(bytes).utf8.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The keys that are given, secrets masked.
    var output: [(key: String, value: ConfigOutput)] {
        var entries: [(key: String, value: ConfigOutput)] = []
        if !keyID.isEmpty { entries.append(("client_certificate_key_id", .text(keyID))) }
        if let key { entries.append(key.output("client_certificate_key")) }
        if let algorithm { entries.append(("signature_algorithm", .text(algorithm.rawValue))) }
        if !issuer.isEmpty { entries.append(("iss", .text(issuer))) }
        if !audience.isEmpty { entries.append(("audience", .text(audience))) }
        if !claims.isEmpty { entries.append(("claims", JSONValue.object(claims).output)) }
        return entries
    }
}
