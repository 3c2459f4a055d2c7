import ConfigTree

extension HTTPClientSection {
    /// The value of the `Authorization` header, nil where none is configured; OAuth2 is not looked at. Files are read
    /// anew each time, so that a token that is replaced is used at once.
    func authorizationHeader() throws(OutboundError) -> String? {
        if let basicAuth {
            let user: String
            switch basicAuth.username {
            case .inline(let name): user = name
            case .file(let path):
                user = try naming("unable to read basic auth username") { () throws(OutboundError) in
                    try SecretSource.read(path)
                }
            }
            let password = try naming("unable to read basic auth password") { () throws(OutboundError) in
                try basicAuth.password.text()
            }
            return "Basic " + Base64.encode(Array((user + ":" + password).utf8))
        }
        if let authorization {
            let credentials = try naming("unable to read authorization credentials") { () throws(OutboundError) in
                try authorization.credentials.text()
            }
            return authorization.scheme + " " + credentials
        }
        return nil
    }

    /// The headers of `http_headers`. Those of secrets and files come apart: they stay with the host they are for.
    func configuredHeaders() throws(OutboundError) -> (open: [(String, String)], secret: [(String, String)]) {
        var open: [(String, String)] = []
        var secret: [(String, String)] = []
        for header in headers {
            for value in header.values { open.append((header.name, value)) }
            for value in header.secrets { secret.append((header.name, value.text)) }
            for path in header.files {
                let value = try naming("unable to read headers file \(path)") { () throws(OutboundError) in
                    try SecretSource.read(path)
                }
                secret.append((header.name, value))
            }
        }
        return (open, secret)
    }

    private func naming<Value>(
        _ what: String, _ body: () throws(OutboundError) -> Value
    ) throws(OutboundError) -> Value {
        do throws(OutboundError) {
            return try body()
        } catch {
            throw OutboundError(error.kind, what + ": " + error.message)
        }
    }
}
