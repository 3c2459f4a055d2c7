import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SeriesModel

/// One request to one URL, without redirects.
struct Hop: Sendable {
    var method: OutboundRequest.Method
    var url: String
    /// The same, taken apart.
    var place: URLReference
    /// A socket of this machine that answers for the place.
    var unixSocket: String?
    /// As async-http-client shall have it; differs from `url` where TLS is to check another name.
    var clientURL: String
    var headers: [(name: String, value: String)]
    /// By the monotonic clock. ns
    var deadline: Int64
    var tls: TLSConfigurationCache.Configuration?
    var request: OutboundRequest

    init(
        method: OutboundRequest.Method, url: String, place: URLReference, deadline: Int64,
        tls: TLSConfigurationCache.Configuration?, request: OutboundRequest
    ) {
        self.method = method
        self.url = url
        self.place = place
        clientURL = url
        headers = request.headers
        self.deadline = deadline
        self.tls = tls
        self.request = request
    }

    private var bodyBytesMax: Int {
        request.bodyBytesMax > 0
            ? min(request.bodyBytesMax, HTTPClientTransport.bodyBytesMax) : HTTPClientTransport.bodyBytesMax
    }

    private var bodyBytesExpected: Int { min(max(request.bodyBytesExpected, 0), bodyBytesMax) }

    /// Names the host of the place, where the URL that the client has does not.
    mutating func addHost() {
        if !headers.contains(where: { HTTPBytes.equal($0.name.utf8, "host") }) {
            headers.append(("Host", place.authority))
        }
    }

    // MARK: Plain HTTP

    /// - Parameter proxy: one for HTTP is given the whole URL (RFC 9112, 3.2.2), as Go and curl do.
    func run(
        on client: PlainHTTPClient, through proxy: ProxyAddress?
    ) async throws(OutboundError) -> OutboundResponse {
        do throws(PlainFault) {
            let response = try await client.send(try plainRequest(proxy))
            return OutboundResponse(
                status: response.head.status, reason: response.head.reason, headers: response.head.headers,
                body: response.body)
        } catch {
            throw OutboundError(error, method: method, url: url, isProxied: proxy != nil)
        }
    }

    private func plainRequest(_ proxy: ProxyAddress?) throws(PlainFault) -> PlainHTTPClient.Request {
        var target = place.target
        var host = place.authority
        var headers = headers
        let destination: Destination
        if let unixSocket {
            destination = .unix(path: unixSocket)
        } else if place.scheme == "http+unix" {
            destination = .unix(path: PercentEncoding.decode(place.host))
            host = "localhost"
        } else if let proxy, proxy.kind == .socks5 {
            let route = SOCKSRoute(
                host: place.hostWithoutBrackets, port: UInt16(clamping: place.port), user: proxy.user,
                password: proxy.password)
            destination = .socks(host: proxy.host, port: UInt16(clamping: proxy.port), route)
        } else if let proxy {
            destination = .tcp(host: proxy.host, port: UInt16(clamping: proxy.port))
            target = place.origin + target
            if let authorization = proxy.authorization {
                headers.removeAll { HTTPBytes.equal($0.name.utf8, "proxy-authorization") }
                headers.append(("Proxy-Authorization", authorization))
            }
        } else {
            destination = .tcp(host: place.hostWithoutBrackets, port: UInt16(clamping: place.port))
        }
        return PlainHTTPClient.Request(
            destination: destination,
            bytes: try RequestBytes.make(method, target: target, host: host, headers: headers, body: request.body),
            isRepeatable: method == .get, deadline: deadline, bodyBytesMax: bodyBytesMax,
            bodyBytesExpected: bodyBytesExpected, receivePart: request.receiveBodyPart,
            shufflesAddresses: request.shufflesAddresses, statusSuffices: request.statusSuffices)
    }

    // MARK: TLS

    func run(on client: HTTPClient) async throws(OutboundError) -> OutboundResponse {
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(clamping: deadline))
        var mayRetry = true
        while true {
            let collector = ResponseCollector(
                bytesMax: bodyBytesMax, bytesExpected: bodyBytesExpected, receivePart: request.receiveBodyPart)
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
                let failure = OutboundError(error, method: method, url: url, hasHead: collector.hasHead)
                if request.statusSuffices, failure.concernsAnswer, let response = collector.takeBegun() {
                    return response
                }
                throw failure
            }
        }
    }

    private func clientRequest() throws -> HTTPClient.Request {
        let hasBody = method == .post
        return try HTTPClient.Request(
            url: clientURL, method: hasBody ? .POST : .GET, headers: HTTPHeaders(headers.map { ($0.name, $0.value) }),
            body: hasBody ? .bytes(request.body) : nil, tlsConfiguration: tls?.value)
    }
}
