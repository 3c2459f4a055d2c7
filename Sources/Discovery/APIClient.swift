import OutboundHTTP
import SeriesModel

/// Requests to the HTTP interface of what knows targets.
struct APIClient: Sendable {
    /// No answer may be longer. bytes
    static let bodyBytesMax = 64 << 20

    let transport: any HTTPTransport
    let client: HTTPClientSection
    let headers: [(name: String, value: String)]

    init(_ context: DiscoveryContext, _ client: HTTPClientSection) {
        transport = context.transport
        self.client = client
        self.headers = [("User-Agent", context.userAgent)]
    }

    /// An answer of status 200.
    /// - Parameter timeout: ms
    func get(
        _ url: String, headers: [(name: String, value: String)] = [], timeout: Int64
    ) async throws(DiscoveryError) -> OutboundResponse {
        let request = OutboundRequest(
            .get, url, headers: self.headers + headers, client: client, timeout: timeout,
            bodyBytesMax: APIClient.bodyBytesMax)
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await transport.send(request)
        } catch {
            throw DiscoveryError(error.message)
        }
        guard response.status == 200 else { throw DiscoveryError(response.statusError) }
        return response
    }

    func json(_ url: String, timeout: Int64) async throws(DiscoveryError) -> JSONValue {
        try JSONValue(parsing: try await get(url, headers: [("Accept", "application/json")], timeout: timeout).body)
    }
}

/// Texts as parts of URLs.
enum URLText {
    /// `?a=b&c=d`; "" without parameters.
    static func query(_ parameters: [(name: String, value: String)]) -> String {
        parameters.isEmpty
            ? ""
            : "?"
                + parameters.map { PercentEncoding.encode($0.name) + "=" + PercentEncoding.encode($0.value) }.joined(
                    separator: "&")
    }

    /// Scheme and host of an absolute URL; nil where there is no `://`.
    static func parts(_ url: String) -> (scheme: String, rest: String)? {
        let bytes = Array(url.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            return nil
        }
        return (
            String(decoding: bytes[..<colon], as: UTF8.self).lowercased(),
            String(decoding: bytes[(colon + 3)...], as: UTF8.self)
        )
    }

    /// Without slashes at the end.
    static func withoutTrailingSlashes(_ url: String) -> String {
        var url = url[...]
        while url.utf8.last == UInt8(ascii: "/") { url = url.dropLast() }
        return String(url)
    }
}
