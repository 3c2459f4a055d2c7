import OutboundHTTP
import SeriesModel

/// Requests to the HTTP interface of what knows targets.
struct APIClient: Sendable {
    /// No answer may be longer. bytes
    static let bodyBytesMax = 64 << 20

    let transport: any HTTPTransport
    private(set) var client: HTTPClientSection
    let headers: [(name: String, value: String)]

    /// - Parameter holdsRequests: requests hang at the server until there is news. Over HTTP/2 all of them, of all
    ///   discoverers, would share the streams of one connection, of which servers allow about a hundred: the hanging
    ///   ones would leave none for the others. So each gets a connection of its own.
    init(_ context: DiscoveryContext, _ client: HTTPClientSection, holdsRequests: Bool = false) {
        transport = context.transport
        self.client = client
        if holdsRequests { self.client.enablesHTTP2 = false }
        self.headers = [("User-Agent", context.userAgent)]
    }

    /// An answer of status 200.
    /// - Parameters:
    ///   - timeout: ms
    ///   - receiveBodyPart: takes the body piece by piece, see `OutboundRequest`.
    func get(
        _ url: String, headers: [(name: String, value: String)] = [], timeout: Int64,
        receiveBodyPart: (@Sendable ([UInt8]) -> Bool)? = nil
    ) async throws(DiscoveryError) -> OutboundResponse {
        var request = OutboundRequest(
            .get, url, headers: self.headers + headers, client: client, timeout: timeout,
            bodyBytesMax: APIClient.bodyBytesMax)
        request.receiveBodyPart = receiveBodyPart
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await transport.send(request)
        } catch {
            throw DiscoveryError(error.message, kind: error.kind == .bodyTooLong ? .tooLarge : .other)
        }
        guard response.status == 200 else {
            throw DiscoveryError(response.statusError, kind: response.status == 410 ? .gone : .other)
        }
        return response
    }

    static let acceptsJSON: [(name: String, value: String)] = [("Accept", "application/json")]

    func json(_ url: String, timeout: Int64) async throws(DiscoveryError) -> JSONValue {
        try JSONValue(parsing: try await get(url, headers: APIClient.acceptsJSON, timeout: timeout).body)
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
