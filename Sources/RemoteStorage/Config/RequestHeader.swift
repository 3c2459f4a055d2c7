package import ConfigTree

/// `headers` of a remote end or of tracing: what is sent along besides what the protocol itself needs.
package struct RequestHeader: Sendable, Hashable {
    package var name: String
    package var value: String

    /// Headers that the protocol makes itself.
    private static let reserved: Set<String> = [
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "host", "keep-alive",
        "proxy-authenticate", "proxy-authorization", "user-agent", "www-authenticate", "x-amz-content-sha256",
        "x-amz-date", "x-amz-security-token", "x-prometheus-remote-read-version", "x-prometheus-remote-write-version",
    ]

    package static let remoteAuthorizationComplaint =
        "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam "
        + "parameter"

    /// Reads the mapping of names to values, sorted by name.
    /// - Parameter authorizationComplaint: for a header that has a key of its own.
    package static func list(
        _ node: ConfigNode?, authorizationComplaint: String = remoteAuthorizationComplaint
    ) throws(ConfigError) -> [RequestHeader] {
        var headers: [RequestHeader] = []
        for entry in try node?.entries() ?? [] {
            let name = entry.key.lowercased()
            guard name != "authorization" else { throw entry.keyNode.error(authorizationComplaint) }
            guard !reserved.contains(name) else {
                throw entry.keyNode.error("\(entry.key) is a reserved header. It must not be changed")
            }
            headers.append(RequestHeader(name: entry.key, value: try entry.value.string()))
        }
        return headers.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    package static func output(_ headers: [RequestHeader]) -> [(key: String, value: ConfigOutput)] {
        headers.isEmpty ? [] : [("headers", .mapping(headers.map { ($0.name, .text($0.value)) }))]
    }
}
