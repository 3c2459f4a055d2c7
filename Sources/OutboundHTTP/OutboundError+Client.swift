import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSOCKS
import NIOSSL

/// The errors of async-http-client in the words that users of Prometheus know (`net/http` speaks so).
extension OutboundError {
    init(_ error: any Error, method: OutboundRequest.Method, url: String, hasHead: Bool) {
        let prefix = OutboundError.prefix(method, url)
        switch error {
        case let error as OutboundError: self = error
        case is ResponseCollector.BodyTooLong: self.init(.bodyTooLong, "body size limit exceeded")
        case is CancellationError: self.init(.cancelled, prefix + "context canceled")
        case let error as HTTPClientError: self.init(error, prefix: hasHead ? "" : prefix)
        case let error as NIOConnectionError: self.init(.connection, prefix + OutboundError.text(error))
        case let error as IOError:
            let text = OutboundError.systemText(error.errnoCode)
            // Addresses without names fail like this; the other codes cannot come from connecting.
            let isDialing = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
            let address = URLReference(url).map { "\($0.host):\($0.port)" } ?? ""
            self.init(.connection, prefix + (isDialing ? "dial tcp \(address): connect: \(text)" : "read: \(text)"))
        case is HTTPParserError, is NIOHTTPDecoderError:
            self.init(
                .malformed, prefix + "net/http: HTTP/1.x transport connection broken: malformed HTTP response")
        case let error as NIOSSLError: self.init(.connection, prefix + "tls: " + String(describing: error))
        case let error as NIOSSLExtraError: self.init(.connection, prefix + "tls: " + String(describing: error))
        case NIOHTTPDecompression.DecompressionError.limit: self.init(.bodyTooLong, "body size limit exceeded")
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            self.init(.malformed, "gzip: invalid data")
        case let error as SOCKSError.ConnectionFailed:
            let words = SOCKSHandshake.words(error.reply.value)
            self.init(.connection, prefix + "socks connect tcp: unknown error " + words)
        case let error as SOCKSError.InvalidProtocolVersion:
            self.init(.connection, prefix + "socks connect tcp: unexpected protocol version \(error.actual)")
        case is SOCKSError.InvalidAuthenticationSelection:
            self.init(.connection, prefix + "socks connect tcp: no acceptable authentication methods")
        default: self.init(.connection, prefix + String(describing: error))
        }
    }

    private init(_ error: HTTPClientError, prefix: String) {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout, .connectTimeout, .tlsHandshakeTimeout,
            .getConnectionFromPoolTimeout:
            self.init(.timeout, prefix + "context deadline exceeded")
        case .cancelled, .alreadyShutdown: self.init(.cancelled, prefix + "context canceled")
        case .remoteConnectionClosed, .uncleanShutdown:
            self.init(.connection, prefix + (prefix.isEmpty ? "unexpected EOF" : "EOF"))
        // The short description: the long one may repeat header values, which may be secrets.
        default: self.init(.malformed, prefix + error.shortDescription)
        }
    }

    /// `Get "http://host/metrics": `, passwords in the URL left out.
    static func prefix(_ method: OutboundRequest.Method, _ url: String) -> String {
        (method == .get ? "Get" : "Post") + " \"" + withoutPassword(url) + "\": "
    }

    private static func withoutPassword(_ url: String) -> String {
        guard let slashes = url.firstIndex(of: "/"),
            let start = url.index(slashes, offsetBy: 2, limitedBy: url.endIndex)
        else { return url }
        let end = url[start...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        guard let at = url[start..<end].lastIndex(of: "@"),
            let colon = url[start..<at].firstIndex(of: ":")
        else { return url }
        return String(url[...colon]) + "xxxxx" + String(url[at...])
    }

    private static func text(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.last {
            let address = failure.target.ipAddress ?? failure.target.pathname ?? error.host
            let port = failure.target.port.map { ":" + String($0) } ?? ""
            let bracketed = address.contains(":") ? "[\(address)]" : address
            switch failure.error {
            case let reason as IOError:
                return "dial tcp \(bracketed)\(port): connect: \(systemText(reason.errnoCode))"
            case is ChannelError: return "dial tcp \(bracketed)\(port): i/o timeout"
            default: return "dial tcp \(bracketed)\(port): \(failure.error)"
            }
        }
        if error.dnsAError != nil || error.dnsAAAAError != nil {
            return "dial tcp: lookup \(error.host): no such host"
        }
        return "dial tcp \(error.host):\(error.port): \(error)"
    }

    /// The system's words for an errno value, as Go writes them.
    static func systemText(_ code: CInt) -> String {
        let words = String(cString: strerror(code))
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
