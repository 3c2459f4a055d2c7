import AsyncHTTPClient
import ConfigTree
package import NIOCore
import NIOHTTP1
import NIOHTTPCompression

#if canImport(Glibc)
    import Glibc
#endif

/// The adapter of `HTTPTransport` over async-http-client: connections are kept and reused, answers in gzip are
/// unpacked while they stream in.
///
/// Redirects are followed here and not by the client, so that each request decides for itself and credentials stay with
/// their host.
package final class HTTPClientTransport: HTTPTransport {
    /// No body may be longer, whatever a request allows: the memory must end somewhere.
    package static let bodyBytesMax = 512 << 20
    private static let redirectsMax = 10
    /// A year; beyond, deadlines would not fit their type. ms
    private static let timeoutMax: Int64 = 365 * 86_400_000

    private let eventLoopGroup: any EventLoopGroup
    private let environment: @Sendable (String) -> String?
    private let clients: ClientPool
    private let tlsConfigurations = TLSConfigurationCache()
    private let tokens = OAuth2Tokens()

    /// - Parameter environment: the value of a variable, for `proxy_from_environment`.
    package init(
        eventLoopGroup: any EventLoopGroup,
        environment: @escaping @Sendable (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) {
        self.eventLoopGroup = eventLoopGroup
        self.environment = environment
        clients = ClientPool(eventLoopGroup: eventLoopGroup)
    }

    /// Closes all connections; requests still running fail. Call once, last.
    package func shutdown() async { await clients.shutdown() }

    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let timeout = min(max(request.timeout, 0), HTTPClientTransport.timeoutMax)
        let deadline = NIODeadline.now() + .milliseconds(timeout)
        guard let origin = URLReference(request.url) else {
            throw OutboundError(.malformed, "unsupported URL \"\(ConfigURL(request.url).redacted)\"")
        }
        let configured = try request.client.configuredHeaders()
        let authorization = try await authorization(for: request, timeout)
        let tls = try tlsConfigurations.configuration(for: request.client.tls)
        var url = request.url
        var place = origin
        var method = request.method
        var isAtHome = true
        for _ in 0...HTTPClientTransport.redirectsMax {
            var hop = Hop(
                method: method, url: url, place: place, deadline: deadline, tls: tls, request: request)
            hop.headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) } + configured.open)
            if isAtHome {
                for (name, value) in configured.secret { hop.headers.add(name: name, value: value) }
                if let authorization { hop.headers.replaceOrAdd(name: "Authorization", value: authorization) }
            }
            let response = try await send(hop)
            guard request.client.followsRedirects, [301, 302, 303, 307, 308].contains(response.status),
                let location = response.header("location"), !location.isEmpty
            else { return response }
            guard let next = place.resolving(location), let target = URLReference(next) else {
                throw OutboundError(.malformed, "failed to parse Location header \"\(location)\"")
            }
            // Once away from the host the credentials do not come back.
            isAtHome = isAtHome && origin.sharesCredentials(with: target)
            if response.status < 307 { method = .get }
            url = next
            place = target
        }
        throw OutboundError(
            .malformed,
            "\(OutboundError.prefix(method, url))stopped after \(HTTPClientTransport.redirectsMax) redirects")
    }

    private func authorization(
        for request: OutboundRequest, _ timeout: Int64
    ) async throws(OutboundError) -> String? {
        guard let section = request.client.oauth2 else { return try request.client.authorizationHeader() }
        let userAgent = request.headers.first { $0.name.lowercased() == "user-agent" }?.value
        do throws(OutboundError) {
            return try await tokens.header(for: section, userAgent: userAgent, timeout: timeout) {
                [self] request throws(OutboundError) in try await send(request)
            }
        } catch {
            throw OutboundError(error.kind, OutboundError.prefix(request.method, request.url) + error.message)
        }
    }

    private func send(_ hop: Hop) async throws(OutboundError) -> OutboundResponse {
        let target = hop.place
        let section = hop.request.client
        let proxy =
            target.scheme.hasPrefix("http+")
            ? nil : try ProxyRules.proxy(for: target, section.proxy, environment: environment)
        if let proxy, target.scheme == "http" { return try await hop.run(through: proxy, on: eventLoopGroup) }
        var hop = hop
        var kind = ClientPool.Kind(enablesHTTP2: section.enablesHTTP2, proxy: proxy)
        if proxy != nil { kind.connectHeaders = section.proxy.connectHeaders }
        let name = section.tls.serverName
        if target.scheme == "https", !name.isEmpty, name.lowercased() != target.host {
            // The client takes the name it checks from the URL: so the URL has the name, and the host is told aside.
            var host = target.host
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            kind.alias = ClientPool.Alias(name: name, host: host)
            if !hop.headers.contains(name: "host") { hop.headers.add(name: "Host", value: target.authority) }
            hop.clientURL = "https://\(name):\(target.port)\(target.target)"
        }
        return try await clients.withClient(kind) { client throws(OutboundError) in try await hop.run(on: client) }
    }
}

/// One request to one URL, without redirects.
private struct Hop {
    var method: OutboundRequest.Method
    var url: String
    /// The same, taken apart.
    var place: URLReference
    /// As the client shall have it; differs from `url` where TLS is to check another name.
    var clientURL: String
    var headers = HTTPHeaders()
    var deadline: NIODeadline
    var tls: TLSConfigurationCache.Configuration?
    var request: OutboundRequest

    init(
        method: OutboundRequest.Method, url: String, place: URLReference, deadline: NIODeadline,
        tls: TLSConfigurationCache.Configuration?, request: OutboundRequest
    ) {
        self.method = method
        self.url = url
        self.place = place
        clientURL = url
        self.deadline = deadline
        self.tls = tls
        self.request = request
    }

    private var bodyBytesMax: Int {
        request.bodyBytesMax > 0
            ? min(request.bodyBytesMax, HTTPClientTransport.bodyBytesMax) : HTTPClientTransport.bodyBytesMax
    }

    func run(on client: HTTPClient) async throws(OutboundError) -> OutboundResponse {
        var mayRetry = true
        while true {
            let collector = ResponseCollector(
                bytesMax: bodyBytesMax,
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

    /// The same through a proxy that forwards plain HTTP.
    func run(
        through proxy: ProxyAddress, on group: any EventLoopGroup
    ) async throws(OutboundError) -> OutboundResponse {
        let exchange = ForwardProxyExchange(
            proxy: proxy, method: method == .post ? .POST : .GET, url: place, headers: headers,
            body: method == .post ? request.body : [], deadline: deadline, bodyBytesMax: bodyBytesMax,
            bodyBytesExpected: min(request.bodyBytesExpected, 1 << 20), receivePart: request.receiveBodyPart)
        do {
            return try await exchange.run(on: group)
        } catch {
            throw OutboundError(error, method: method, url: url, hasHead: false)
        }
    }

    private func clientRequest() throws -> HTTPClient.Request {
        let hasBody = method == .post
        return try HTTPClient.Request(
            url: clientURL, method: hasBody ? .POST : .GET, headers: headers,
            body: hasBody ? .bytes(request.body) : nil, tlsConfiguration: tls?.value)
    }
}
