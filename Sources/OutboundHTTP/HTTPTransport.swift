/// The port through which Hearth sends requests to other servers. One adapter speaks HTTP; tests have their own.
package protocol HTTPTransport: Sendable {
    /// Sends a request and reads the whole answer, whatever its status. Redirects are followed where the request's
    /// client section says so.
    ///
    /// Cancelling the task abandons the request.
    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse
}

package struct OutboundRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    package var method: Method
    package var url: String {
        didSet { place = URLReference(url) }
    }
    /// The same, taken apart; nil where it is none of ours. A request is sent again and again.
    private(set) var place: URLReference?
    /// The path of a socket of this machine that is asked in place of the URL's host, and of a proxy.
    package var unixSocket: String?
    /// Where a name has several addresses: a new connection goes to any of them, in place of the first that answers. Plain
    /// HTTP only.
    package var shufflesAddresses = false
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var client: HTTPClientSection
    /// For the whole exchange, redirects included. ms
    package var timeout: Int64
    /// Longer bodies are an error, counted after decompression. 0 for no other limit than the transport's own.
    package var bodyBytesMax: Int
    /// How long the body probably is, to allocate once.
    package var bodyBytesExpected: Int
    /// Where given, the body of an answer of status 200 is handed over piece by piece as it comes and is not in the
    /// response. Runs on the client's thread: it must not wait. When it returns false, the exchange is abandoned as too long.
    package var receiveBodyPart: (@Sendable ([UInt8]) -> Bool)?
    /// Whether an answer whose body is too long, broken or cut off is an answer all the same, with the body as far as it came
    /// and can be read: for requests whose status says everything. A deadline still is one.
    package var statusSuffices = false

    package init(
        _ method: Method, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        client: HTTPClientSection = HTTPClientSection(), timeout: Int64, bodyBytesMax: Int = 0,
        bodyBytesExpected: Int = 0
    ) {
        self.method = method
        self.url = url
        place = URLReference(url)
        self.headers = headers
        self.body = body
        self.client = client
        self.timeout = timeout
        self.bodyBytesMax = bodyBytesMax
        self.bodyBytesExpected = bodyBytesExpected
    }
}

package struct OutboundResponse: Sendable {
    package var status: Int
    /// The standard's words for the status: `Service Unavailable`.
    package var reason: String
    package var headers: [(name: String, value: String)]
    /// Decompressed.
    package var body: [UInt8]

    package init(status: Int, reason: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { HTTPBytes.equal($0.name.utf8, ignoringCaseOf: name.utf8) }?.value
    }

    /// The complaint about a status that is not what was asked for: `server returned HTTP status 503 Service
    /// Unavailable`.
    package var statusError: String {
        "server returned HTTP status \(status)" + (reason.isEmpty ? "" : " " + reason)
    }
}

/// Why there is no answer. The text is what users see; it follows upstream's wording.
package struct OutboundError: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case cancelled
        case timeout
        case bodyTooLong
        /// A file with credentials or certificates cannot be read.
        case credentials
        /// No connection, or one that broke.
        case connection
        /// What came was not HTTP, or not what HTTP allows.
        case malformed
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension OutboundError {
    /// Whether it may be about how an answer goes on that has begun, and not about us or the time.
    var concernsAnswer: Bool {
        switch kind {
        case .cancelled, .timeout, .credentials: false
        case .bodyTooLong, .connection, .malformed: true
        }
    }
}

extension OutboundError: CustomStringConvertible {
    package var description: String { message }
}
