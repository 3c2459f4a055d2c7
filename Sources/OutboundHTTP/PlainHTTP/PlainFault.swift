/// Why the plain client has no response.
enum PlainFault: Error, Sendable {
    case cancelled
    case deadline(hasHead: Bool)
    /// The request cannot be written down.
    case refused(String)
    /// A name has no address, for a reason.
    case lookUp(host: String, reason: String)
    /// No connection to an address, by an errno value.
    case dial(SocketAddress, code: Int32)
    case dialTimeout(SocketAddress)
    /// A SOCKS proxy does not connect, for a reason.
    case socks(SocketAddress, target: String, reason: String)
    /// The system has no socket or no thread for us, by an errno value.
    case system(code: Int32)
    case broken(code: Int32, isReading: Bool)
    /// A kept connection that the server had closed before it saw the request.
    case stale(isUnsent: Bool)
    case response(ResponseFault, hasBytes: Bool)

    /// Whether it is about how a response goes on.
    var concernsResponse: Bool {
        switch self {
        case .response, .broken(_, isReading: true): true
        default: false
        }
    }

    /// Whether another address may do better.
    var isDialing: Bool {
        switch self {
        case .dial, .dialTimeout: true
        default: false
        }
    }
}

/// In the words that users of Prometheus know (`net/http` speaks so).
extension OutboundError {
    /// - Parameter isProxied: whether who is dialled is a proxy.
    init(_ fault: PlainFault, method: OutboundRequest.Method, url: String, isProxied: Bool = false) {
        let prefix = OutboundError.prefix(method, url)
        let dialling = prefix + (isProxied ? "proxyconnect tcp: " : "")
        switch fault {
        case .cancelled: self.init(.cancelled, prefix + "context canceled")
        case .deadline(let hasHead): self.init(.timeout, (hasHead ? "" : prefix) + "context deadline exceeded")
        case .refused(let reason): self.init(.malformed, prefix + reason)
        case .lookUp(let host, let reason): self.init(.connection, dialling + "dial tcp: lookup \(host): \(reason)")
        case .dial(let address, let code):
            self.init(.connection, dialling + "dial \(address): connect: \(OutboundError.systemText(code))")
        case .dialTimeout(let address): self.init(.timeout, dialling + "dial \(address): i/o timeout")
        case .socks(let address, let target, let reason):
            self.init(.connection, prefix + "socks connect \(address)->\(target): \(reason)")
        case .system(let code): self.init(.connection, prefix + "socket: \(OutboundError.systemText(code))")
        case .broken(let code, let isReading):
            self.init(.connection, prefix + (isReading ? "read: " : "write: ") + OutboundError.systemText(code))
        case .stale: self.init(.connection, prefix + "EOF")
        case .response(let fault, let hasBytes): self.init(fault, hasBytes: hasBytes, prefix: prefix)
        }
    }

    private init(_ fault: ResponseFault, hasBytes: Bool, prefix: String) {
        switch fault {
        case .malformedHead:
            self.init(
                .malformed, prefix + "net/http: HTTP/1.x transport connection broken: malformed HTTP response")
        case .malformedChunks: self.init(.malformed, "malformed chunked encoding")
        case .malformedCoding: self.init(.malformed, "gzip: invalid data")
        case .bodyTooLong: self.init(.bodyTooLong, "body size limit exceeded")
        case .endedEarly(let hasHead):
            let words = hasHead ? "unexpected EOF" : prefix + (hasBytes ? "unexpected EOF" : "EOF")
            self.init(.connection, words)
        }
    }
}
