package import ConfigTree

/// Sections made by who talks to servers whose credentials are not written as `http_config`.
extension HTTPClientSection.Authorization {
    /// A token of RFC 6750.
    package static func bearer(_ token: Secret) -> HTTPClientSection.Authorization {
        HTTPClientSection.Authorization(scheme: "Bearer", credentials: .inline(token))
    }

    /// A token that is read from a file with each request.
    package static func bearer(file: String) -> HTTPClientSection.Authorization {
        HTTPClientSection.Authorization(scheme: "Bearer", credentials: .file(file))
    }
}

extension HTTPClientSection.BasicAuth {
    package static func user(_ name: String, password: Secret) -> HTTPClientSection.BasicAuth {
        HTTPClientSection.BasicAuth(username: .inline(name), password: .inline(password))
    }
}
