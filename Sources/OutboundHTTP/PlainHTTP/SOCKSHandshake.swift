import ConfigTree

/// A SOCKS 5 proxy, and whom it is to connect with: names are resolved by the proxy.
struct SOCKSRoute: Sendable, Hashable {
    /// A name or an address, IPv6 without brackets.
    var host: String
    var port: UInt16
    /// Nil where the proxy's URL names no user.
    var user: String?
    var password = Secret("")

    /// For messages: `host:80`, `[::1]:80`.
    var text: String { (host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host) + ":" + String(port) }
}

/// What a client and a SOCKS 5 proxy say to each other before the connection is the target's (RFC 1928; RFC 1929 for user
/// and password). Moves no bytes: it says what to send and how many bytes to read, never more than belong to the
/// handshake, of which there are less than 300.
struct SOCKSHandshake {
    /// In the words of Go's client.
    struct Failure: Error { let reason: String }

    private enum Step {
        case method
        case verdict
        /// The reply's head with the kind of the address that follows, and what that kind says of the length.
        case reply
        case nameLength
        case address
        case complete
    }

    private static let version: UInt8 = 5
    private static let userPasswordMethod: UInt8 = 2

    private let route: SOCKSRoute
    private var step = Step.method
    private var received: [UInt8] = []

    /// What is to be sent now; the owner removes what it has sent.
    var outgoing: [UInt8]
    /// So many bytes are to come before there is more to send. 0 at the end.
    private(set) var wantedCount = 2

    var isComplete: Bool { if case .complete = step { true } else { false } }

    init(_ route: SOCKSRoute) {
        self.route = route
        let methods: [UInt8] = route.user == nil ? [0] : [0, SOCKSHandshake.userPasswordMethod]
        outgoing = [SOCKSHandshake.version, UInt8(methods.count)] + methods
    }

    /// Takes bytes that came, at most as many as are wanted.
    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) {
        received += bytes
        wantedCount -= bytes.count
        guard wantedCount <= 0 else { return }
        let message = received
        received = []
        switch step {
        case .method: try takeMethod(message)
        case .verdict:
            guard message.first == 1 else { throw Failure(reason: "invalid username/password version") }
            guard message.last == 0 else { throw Failure(reason: "username/password authentication failed") }
            try request()
        case .reply: try takeReply(message)
        case .nameLength: expect(.address, Int(message.first ?? 0) + 2)
        case .address: expect(.complete, 0)
        case .complete: break
        }
    }

    private mutating func expect(_ next: Step, _ count: Int) { (step, wantedCount) = (next, count) }

    private static func check(version: UInt8?) throws(Failure) {
        guard version == SOCKSHandshake.version else {
            throw Failure(reason: "unexpected protocol version \(version ?? 0)")
        }
    }

    private mutating func takeMethod(_ message: [UInt8]) throws(Failure) {
        try SOCKSHandshake.check(version: message.first)
        switch message.last {
        case 0: try request()
        case 0xFF: throw Failure(reason: "no acceptable authentication methods")
        case SOCKSHandshake.userPasswordMethod where route.user != nil:
            let (user, password) = (Array((route.user ?? "").utf8), Array(route.password.text.utf8))
            guard let userCount = UInt8(exactly: user.count), userCount > 0,
                let passwordCount = UInt8(exactly: password.count)
            else { throw Failure(reason: "invalid username/password") }
            outgoing = [1, userCount] + user + [passwordCount] + password
            expect(.verdict, 2)
        case let method: throw Failure(reason: "unsupported authentication method \(method ?? 0)")
        }
    }

    /// Asks for the connection.
    private mutating func request() throws(Failure) {
        var bytes: [UInt8] = [SOCKSHandshake.version, 1, 0]
        if let address = IPAddress(route.host) {
            bytes.append(address.bytes.count == 4 ? 1 : 4)
            bytes += address.bytes
        } else {
            guard let count = UInt8(exactly: route.host.utf8.count) else { throw Failure(reason: "FQDN too long") }
            bytes += [3, count]
            bytes += route.host.utf8
        }
        outgoing = bytes + [UInt8(route.port >> 8), UInt8(route.port & 0xFF)]
        expect(.reply, 4)
    }

    private mutating func takeReply(_ message: [UInt8]) throws(Failure) {
        guard message.count == 4 else { throw Failure(reason: "unexpected EOF") }
        try SOCKSHandshake.check(version: message[0])
        guard message[1] == 0 else { throw Failure(reason: "unknown error " + SOCKSHandshake.words(message[1])) }
        guard message[2] == 0 else { throw Failure(reason: "non-zero reserved field") }
        switch message[3] {
        case 1: expect(.address, 4 + 2)
        case 4: expect(.address, 16 + 2)
        case 3: expect(.nameLength, 1)
        default: throw Failure(reason: "unknown address type \(message[3])")
        }
    }

    /// What a reply's code says (RFC 1928, 6).
    static func words(_ code: UInt8) -> String {
        switch code {
        case 1: "general SOCKS server failure"
        case 2: "connection not allowed by ruleset"
        case 3: "network unreachable"
        case 4: "host unreachable"
        case 5: "connection refused"
        case 6: "TTL expired"
        case 7: "command not supported"
        case 8: "address type not supported"
        default: "unknown code: \(code)"
        }
    }
}
