import ConfigTree

extension HTTPClientSection {
    /// The value of the `Authorization` header, nil where none is configured. Files are read anew each time, so that
    /// a token that is replaced is used at once.
    func authorizationHeader() throws(OutboundError) -> String? {
        if let basicAuth {
            let user: String
            switch basicAuth.username {
            case .inline(let name): user = name
            case .file(let path): user = try HTTPClientSection.read(path)
            }
            return "Basic " + Base64.encode(Array((user + ":" + (try basicAuth.password.text())).utf8))
        }
        if let authorization {
            let credentials = try authorization.credentials.text()
            return credentials.isEmpty ? nil : authorization.scheme + " " + credentials
        }
        return nil
    }

    fileprivate static func read(_ path: String) throws(OutboundError) -> String {
        do {
            return try ConfigFile.readTrimmed(path)
        } catch {
            throw OutboundError(.credentials, "unable to read credentials: " + error.message)
        }
    }
}

extension HTTPClientSection.SecretSource {
    fileprivate func text() throws(OutboundError) -> String {
        switch self {
        case .inline(let secret): secret.text
        case .file(let path): try HTTPClientSection.read(path)
        }
    }
}

/// RFC 4648, section 4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            var word = 0
            for offset in 0..<3 {
                word = word << 8 | (index + offset < group.endIndex ? Int(group[index + offset]) : 0)
            }
            for position in 0..<4 {
                out.append(position <= group.count ? alphabet[word >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: out, as: UTF8.self)
    }
}
