import ConfigTree
package import NIOCore
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// The adapter of `HTTPTransport`. Plain HTTP goes over a client of our own, TLS over async-http-client; both keep and
/// reuse connections and unpack answers in gzip.
///
/// Redirects are followed here and not by the clients, so that each request decides for itself and credentials stay with
/// their host.
package final class HTTPClientTransport: HTTPTransport {
    /// No body may be longer, whatever a request allows: the memory must end somewhere.
    package static let bodyBytesMax = 512 << 20
    private static let redirectsMax = 10
    /// A year; beyond, deadlines would not fit their type. ms
    private static let timeoutMax: Int64 = 365 * 86_400_000

    private let environment: @Sendable (String) -> String?
    private let clients: ClientPool
    private let plainClient = PlainHTTPClient()
    private let tlsConfigurations = TLSConfigurationCache()
    private let tokens = OAuth2Tokens()

    /// - Parameters:
    ///   - eventLoopGroup: for TLS.
    ///   - environment: the value of a variable, for `proxy_from_environment`.
    package init(
        eventLoopGroup: any EventLoopGroup,
        environment: @escaping @Sendable (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) {
        self.environment = environment
        clients = ClientPool(eventLoopGroup: eventLoopGroup)
    }

    /// Closes all connections; requests still running fail. Call once, last.
    package func shutdown() async {
        await plainClient.shutdown()
        await clients.shutdown()
    }

    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let timeout = min(max(request.timeout, 0), HTTPClientTransport.timeoutMax)
        let deadline = MonotonicClock.now + timeout * 1_000_000
        guard let origin = request.place else {
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
            hop.headers += configured.open
            if isAtHome {
                hop.headers += configured.secret
                if let authorization {
                    hop.headers.removeAll { HTTPBytes.equal($0.name.utf8, "authorization") }
                    hop.headers.append(("Authorization", authorization))
                }
            }
            // What answers for the address answers for it only.
            if place.authority == origin.authority { hop.unixSocket = request.unixSocket }
            let response = try await send(hop)
            guard request.client.followsRedirects, [301, 302, 303, 307, 308].contains(response.status),
                let location = response.header("location"), !location.isEmpty
            else { return response }
            // A server elsewhere has no say about the sockets of this machine.
            guard let next = place.resolving(location), let target = URLReference(next),
                target.scheme != "http+unix" || place.scheme == "http+unix"
            else {
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
        guard let section = request.client.oauth2 else {
            return try request.client.authorizationHeader() ?? HTTPClientTransport.authorization(in: request.url)
        }
        let userAgent = request.headers.first { $0.name.lowercased() == "user-agent" }?.value
        do throws(OutboundError) {
            return try await tokens.header(for: section, userAgent: userAgent, timeout: timeout) {
                [self] request throws(OutboundError) in try await send(request)
            }
        } catch {
            throw OutboundError(error.kind, OutboundError.prefix(request.method, request.url) + error.message)
        }
    }

    /// User and password in a URL, as Go's client sends them.
    private static func authorization(in url: String) -> String? {
        guard url.utf8.contains(UInt8(ascii: "@")), let info = ConfigURL(url).userInfo else { return nil }
        let pair = PercentEncoding.decode(info.user) + ":" + PercentEncoding.decode(info.password ?? "")
        return "Basic " + Base64.encode(Array(pair.utf8))
    }

    /// - Throws: where the client for TLS cannot ask a SOCKS proxy for the target.
    private static func check(_ proxy: ProxyAddress, for hop: Hop) throws(OutboundError) {
        let prefix = OutboundError.prefix(hop.method, hop.url)
        guard proxy.user == nil else {
            throw OutboundError(
                .malformed,
                prefix + "https through a socks5 proxy with user and password is not supported by Hearth yet")
        }
        // The client would not survive it.
        guard hop.place.hostWithoutBrackets.utf8.count <= UInt8.max else {
            throw OutboundError(.malformed, prefix + "socks connect tcp: FQDN too long")
        }
    }

    private func send(_ hop: Hop) async throws(OutboundError) -> OutboundResponse {
        let target = hop.place
        let section = hop.request.client
        let isLocal = hop.unixSocket != nil || target.scheme == "http+unix"
        let proxy = isLocal ? nil : try ProxyRules.proxy(for: target, section.proxy, environment: environment)
        if target.scheme != "https" { return try await hop.run(on: plainClient, through: proxy) }
        if let proxy, proxy.kind == .socks5 { try HTTPClientTransport.check(proxy, for: hop) }
        var hop = hop
        var kind = ClientPool.Kind(enablesHTTP2: section.enablesHTTP2, proxy: proxy)
        if proxy != nil { kind.connectHeaders = section.proxy.connectHeaders }
        let name = section.tls.serverName
        if let socket = hop.unixSocket {
            // The client checks the names of hosts only.
            guard section.tls.skipsVerification else {
                throw OutboundError(
                    .malformed,
                    OutboundError.prefix(hop.method, hop.url) + "TLS over a unix socket needs insecure_skip_verify")
            }
            hop.addHost()
            hop.clientURL = "https+unix://\(PercentEncoding.encode(socket, keeping: ""))\(target.target)"
        } else if !name.isEmpty, name.lowercased() != target.host {
            // The client takes the name it checks from the URL: so the URL has the name, and the host is told aside.
            kind.alias = ClientPool.Alias(name: name, host: target.hostWithoutBrackets)
            hop.addHost()
            hop.clientURL = "https://\(name):\(target.port)\(target.target)"
        }
        return try await clients.withClient(kind) { client throws(OutboundError) in try await hop.run(on: client) }
    }
}
