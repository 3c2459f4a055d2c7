/// A request as it goes out (RFC 9112, 3). Nothing that a configuration, a discovery or a redirect holds can end a line
/// early and begin another request.
enum RequestBytes {
    /// Headers that we alone decide.
    private static let framingHeaders = ["content-length", "transfer-encoding"] as [StaticString]

    /// - Parameters:
    ///   - target: the path with its query, or a whole URL for a proxy.
    ///   - host: for the `Host` header, unless the headers have one.
    static func make(
        _ method: OutboundRequest.Method, target: String, host: String, headers: [(name: String, value: String)],
        body: [UInt8]
    ) throws(PlainFault) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512 + target.utf8.count + body.count)
        bytes += method.rawValue.utf8
        bytes.append(0x20)
        try append(target: target, to: &bytes)
        append(" HTTP/1.1\r\n", to: &bytes)
        if !headers.contains(where: { HTTPBytes.equal($0.name.utf8, "host") }) {
            guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .refused("invalid host name in URL")
            }
            try append("Host", host, to: &bytes)
        }
        for (name, value) in headers where !framingHeaders.contains(where: { HTTPBytes.equal(name.utf8, $0) }) {
            try append(name, value, to: &bytes)
        }
        if method == .post { try append("Content-Length", String(body.count), to: &bytes) }
        append("\r\n", to: &bytes)
        if method == .post { bytes += body }
        return bytes
    }

    /// What may not stand there, and can be escaped, is.
    private static func append(target: String, to bytes: inout [UInt8]) throws(PlainFault) {
        for byte in target.utf8 {
            switch byte {
            case 0x21...0x7E: bytes.append(byte)
            case 0...0x1F, 0x7F: throw .refused("invalid control character in URL")
            default:
                bytes.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 0x0F] {
                    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
                }
            }
        }
    }

    private static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) throws(PlainFault) {
        guard !name.isEmpty, name.utf8.allSatisfy({ HTTPBytes.isToken($0) }) else {
            throw .refused("net/http: invalid header field name")
        }
        // The value may be a secret: it is not shown.
        guard value.utf8.allSatisfy({ HTTPBytes.isFieldByte($0) }) else {
            throw .refused("net/http: invalid header field value for \"\(name)\"")
        }
        bytes += name.utf8
        append(": ", to: &bytes)
        bytes += value.utf8
        append("\r\n", to: &bytes)
    }

    private static func append(_ text: StaticString, to bytes: inout [UInt8]) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}
