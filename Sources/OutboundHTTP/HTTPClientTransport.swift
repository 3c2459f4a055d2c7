import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// The adapter of `HTTPTransport` over async-http-client: connections are kept and reused, answers in gzip are
/// unpacked while they stream in.
///
/// Two clients share the event loops, one that may speak HTTP/2 and one that may not: the choice is the client's, not
/// the request's. Redirects are followed here and not by the client, so that each request decides for itself and
/// credentials stay with their host.
package final class HTTPClientTransport: HTTPTransport {
    /// No body may be longer, whatever a request allows: the memory must end somewhere.
    package static let bodyBytesMax = 512 << 20
    private static let redirectsMax = 10
    /// A year; beyond, deadlines would not fit their type. ms
    private static let timeoutMax: Int64 = 365 * 86_400_000

    private let automatic: HTTPClient
    private let http1Only: HTTPClient
    private let tlsConfigurations = TLSConfigurationCache()

    package init(eventLoopGroup: any EventLoopGroup) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            // The caller's deadline ends every phase; these only must not fire first.
            timeout: .init(connect: .seconds(600)),
            decompression: .enabled(limit: .size(HTTPClientTransport.bodyBytesMax)))
        configuration.connectionPool.idleTimeout = .seconds(300)
        // Many targets may stand behind one address (a prober's): they must not wait for each other.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1000
        // Otherwise a refused connection is tried again and again until the deadline.
        configuration.connectionPool.retryConnectionEstablishment = false
        automatic = HTTPClient(eventLoopGroupProvider: .shared(eventLoopGroup), configuration: configuration)
        configuration.httpVersion = .http1Only
        http1Only = HTTPClient(eventLoopGroupProvider: .shared(eventLoopGroup), configuration: configuration)
    }

    /// Closes all connections; requests still running fail. Call once, last.
    package func shutdown() async {
        try? await automatic.shutdown()
        try? await http1Only.shutdown()
    }

    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let deadline = NIODeadline.now() + .milliseconds(min(max(request.timeout, 0), HTTPClientTransport.timeoutMax))
        let authorization = try request.client.authorizationHeader()
        let tls = try tlsConfigurations.configuration(for: request.client.tls)
        guard let origin = URLReference(request.url) else {
            throw OutboundError(.malformed, "unsupported URL \"\(request.url)\"")
        }
        var url = request.url
        var method = request.method
        var mayAuthorize = true
        for _ in 0...HTTPClientTransport.redirectsMax {
            var hop = Hop(method: method, url: url, deadline: deadline, tls: tls, request: request)
            if mayAuthorize { hop.authorization = authorization }
            let response = try await hop.run(on: request.client.enablesHTTP2 ? automatic : http1Only)
            guard request.client.followsRedirects, [301, 302, 303, 307, 308].contains(response.status),
                let location = response.header("location"), !location.isEmpty
            else { return response }
            guard let next = URLReference(url)?.resolving(location), let target = URLReference(next) else {
                throw OutboundError(.malformed, "failed to parse Location header \"\(location)\"")
            }
            // Once away from the host the credentials do not come back.
            mayAuthorize = mayAuthorize && origin.sharesCredentials(with: target)
            if response.status < 307 { method = .get }
            url = next
        }
        throw OutboundError(
            .malformed,
            "\(OutboundError.prefix(method, url))stopped after \(HTTPClientTransport.redirectsMax) redirects")
    }
}

/// One request to one URL, without redirects.
private struct Hop {
    var method: OutboundRequest.Method
    var url: String
    var deadline: NIODeadline
    var tls: TLSConfigurationCache.Configuration?
    var request: OutboundRequest
    var authorization: String?

    init(
        method: OutboundRequest.Method, url: String, deadline: NIODeadline,
        tls: TLSConfigurationCache.Configuration?, request: OutboundRequest
    ) {
        self.method = method
        self.url = url
        self.deadline = deadline
        self.tls = tls
        self.request = request
    }

    func run(on client: HTTPClient) async throws(OutboundError) -> OutboundResponse {
        var mayRetry = true
        while true {
            let collector = ResponseCollector(
                bytesMax: request.bodyBytesMax > 0
                    ? min(request.bodyBytesMax, HTTPClientTransport.bodyBytesMax) : HTTPClientTransport.bodyBytesMax,
                bytesExpected: min(request.bodyBytesExpected, HTTPClientTransport.bodyBytesMax),
                receivePart: request.receiveBodyPart)
            do {
                let task = client.execute(
                    request: try clientRequest(), delegate: collector, deadline: deadline)
                return try await withTaskCancellationHandler {
                    try await task.futureResult.get()
                } onCancel: {
                    task.fail(reason: CancellationError())
                }
            } catch {
                // A kept connection may be closed by the server just as we use it: nothing was answered, so it is
                // safe to ask again, on a new connection.
                let isStaleConnection = (error as? HTTPClientError) == .remoteConnectionClosed
                if mayRetry, isStaleConnection, !collector.hasHead, method == .get, NIODeadline.now() < deadline {
                    mayRetry = false
                    continue
                }
                throw OutboundError(error, method: method, url: url, hasHead: collector.hasHead)
            }
        }
    }

    private func clientRequest() throws -> HTTPClient.Request {
        var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        if let authorization { headers.replaceOrAdd(name: "Authorization", value: authorization) }
        let hasBody = method == .post
        return try HTTPClient.Request(
            url: url, method: hasBody ? .POST : .GET, headers: headers,
            body: hasBody ? .bytes(request.body) : nil, tlsConfiguration: tls?.value)
    }
}
