import NIOHTTP1

/// The head of a response: what it says, and what follows for the bytes after it (RFC 9112, 6.3).
package struct ResponseHead: Sendable {
    /// Where the body ends.
    package enum Framing: Sendable, Hashable {
        /// After so many bytes.
        case length(Int)
        case chunked
        /// With the connection.
        case untilClose
    }

    package var status: Int
    /// The standard's words for the status.
    package var reason: String
    package var headers: [(name: String, value: String)] = []
    package var framing = Framing.untilClose
    package var coding = ContentCoding.identity
    /// Whether the connection may serve another request.
    package var keepsConnection: Bool

    /// So many headers are refused: no server has as many.
    private static let headersMax = 1000
    /// bytes
    private static let reasonMax = 256

    private var contentLength: Int?
    private var isChunked = false
    private var saysClose = false
    private var saysKeepAlive = false
    private var hasOtherTransferCoding = false

    /// - Parameter bytes: from the status line to the empty line, which may be among them.
    package init(parsing bytes: UnsafeBufferPointer<UInt8>) throws(ResponseFault) {
        var lines = HeadLines(bytes)
        guard let first = lines.next() else { throw .malformedHead }
        // "HTTP/1.1 200", and a reason perhaps.
        guard first.count >= 12, ResponseHead.isVersionOne(first.prefix(9)), first[first.startIndex + 8] == 0x20,
            first.count == 12 || first[first.startIndex + 12] == 0x20,
            let code = ResponseHead.number(first.dropFirst(9).prefix(3)), code >= 100
        else { throw .malformedHead }
        status = code
        // Words before the answer are skipped, however many there are.
        if code < 200 {
            (reason, framing, keepsConnection) = ("", .length(0), true)
            return
        }
        reason = ResponseHead.words(code, first.dropFirst(13))
        let isOld = first[first.startIndex + 7] == UInt8(ascii: "0")
        keepsConnection = false
        headers.reserveCapacity(8)
        while let line = lines.next() {
            guard headers.count < ResponseHead.headersMax else { throw .malformedHead }
            if lines.isFolded {
                // A value over several lines is one with spaces between (RFC 9112, 5.2).
                let joined = line.map { $0 == 0x0D || $0 == 0x0A ? 0x20 : $0 }
                try joined.withUnsafeBufferPointer { bytes throws(ResponseFault) in try take(field: bytes[...]) }
            } else {
                try take(field: line)
            }
        }
        keepsConnection = !saysClose && (saysKeepAlive || !isOld)
        try decideFraming()
    }

    private mutating func take(field line: Slice<UnsafeBufferPointer<UInt8>>) throws(ResponseFault) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ HTTPBytes.isToken($0) })
        else { throw .malformedHead }
        let name = line[..<colon]
        let value = HTTPBytes.trimmed(line[(colon + 1)...])
        guard value.allSatisfy({ HTTPBytes.isFieldByte($0) }) else { throw .malformedHead }
        headers.append((KnownHeaders.text(name), String(decoding: value, as: UTF8.self)))
        // Only these steer us; their lengths tell them from most others.
        switch name.count {
        case 10 where HTTPBytes.equal(name, "connection"):
            HTTPBytes.forEachWord(in: value) { word in
                if HTTPBytes.equal(word, "close") { saysClose = true }
                if HTTPBytes.equal(word, "keep-alive") { saysKeepAlive = true }
            }
        case 14 where HTTPBytes.equal(name, "content-length"):
            guard let length = ResponseHead.number(value), contentLength == nil || contentLength == length else {
                throw .malformedHead
            }
            contentLength = length
        case 16 where HTTPBytes.equal(name, "content-encoding"): coding = ContentCoding(value)
        case 17 where HTTPBytes.equal(name, "transfer-encoding"):
            HTTPBytes.forEachWord(in: value) { word in
                if HTTPBytes.equal(word, "chunked"), !isChunked {
                    isChunked = true
                } else {
                    hasOtherTransferCoding = true
                }
            }
        default: break
        }
    }

    private mutating func decideFraming() throws(ResponseFault) {
        // Codings of the transfer other than chunks are asked for, and we ask for none.
        guard !hasOtherTransferCoding else { throw .malformedHead }
        if status == 204 || status == 304 {
            framing = .length(0)
        } else if isChunked {
            framing = .chunked
            // Two opinions on the length: whoever comes between may have the other one.
            if contentLength != nil { keepsConnection = false }
        } else if let contentLength {
            framing = .length(contentLength)
        } else {
            keepsConnection = false
        }
    }

    /// The standard's words, or the server's own where the standard has none.
    private static func words(_ status: Int, _ text: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        if status == 200 { return "OK" }
        let text = text.prefix(reasonMax).filter { HTTPBytes.isFieldByte($0) }
        return HTTPResponseStatus(statusCode: status, reasonPhrase: String(decoding: text, as: UTF8.self)).reasonPhrase
    }

    /// Whether a response may begin so: with `HTTP/1.`, a digit and a space, as far as it goes.
    static func isVersionOne(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let wanted: StaticString = "HTTP/1."
        return wanted.withUTF8Buffer { wanted in
            for (index, byte) in bytes.prefix(9).enumerated() {
                switch index {
                case 0..<7: if byte != wanted[index] { return false }
                case 7: if !(0x30...0x39).contains(byte) { return false }
                default: if byte != 0x20 { return false }
                }
            }
            return true
        }
    }

    /// Decimal digits and nothing else, up to 10^18.
    private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard (1...18).contains(digits.count) else { return nil }
        var value = 0
        for byte in digits {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}

/// What comes is not a response as RFC 9112 has it.
package enum ResponseFault: Error, Hashable, Sendable {
    case malformedHead
    case malformedChunks
    /// Data of gzip or deflate that are none.
    case malformedCoding
    case bodyTooLong
    /// The connection ended before the response did.
    case endedEarly(hasHead: Bool)
}
