import OutboundHTTP
import TestSupport

extension FuzzTarget {
    /// Responses of servers: head, chunks and compression. However they are cut, they mean the same.
    static let response = FuzzTarget(
        name: "response",
        seeds: {
            (0..<20 as Range<UInt64>).map { seed in
                var random = SeededRandom(seed: seed)
                return ResponseTarget.response(&random)
            }
        }, words: ResponseTarget.words, generate: { random in ResponseTarget.response(&random) },
        makeRun: { { input in try ResponseTarget.run(input) } })
}

private enum ResponseTarget {
    private static let bodyBytesMax = 100_000

    private struct Reading: Equatable {
        var status: Int
        var reason: String
        var headers: [String]
        var framing: ResponseHead.Framing
        var coding: ContentCoding
        var keepsConnection: Bool
        var body: [UInt8]
    }

    static func run(_ input: [UInt8]) throws -> Bool {
        let whole = read(input, pieceBytes: input.count)
        for pieceBytes in [1, 2, 3, 7, 64, 1000] where pieceBytes < input.count {
            guard read(input, pieceBytes: pieceBytes) == whole else {
                throw FuzzFinding("in pieces of \(pieceBytes) bytes it is another response")
            }
        }
        guard case .success(let reading) = whole else { return false }
        if reading.body.count > bodyBytesMax + bodyBytesMax / 256 + 1024 {
            throw FuzzFinding("a body beyond its limit")
        }
        guard reading.coding != .identity else { return true }
        let isTooLong: Bool
        do throws(ResponseFault) {
            let body = try BodyInflater.inflate(
                reading.body, reading.coding, bytesMax: bodyBytesMax, bytesExpected: reading.body.count)
            isTooLong = body.count > bodyBytesMax
        } catch { return false }
        if isTooLong { throw FuzzFinding("an unpacked body beyond its limit") }
        return true
    }

    private static func read(_ input: [UInt8], pieceBytes: Int) -> Result<Reading, ResponseFault> {
        var parser = ResponseParser()
        parser.begin(bodyBytesMax: bodyBytesMax, bodyBytesExpected: 0, isStreaming: false)
        do throws(ResponseFault) {
            var start = 0
            while start < input.count, !parser.isComplete {
                let piece = Array(input[start..<min(start + pieceBytes, input.count)])
                _ = try piece.withUnsafeBufferPointer { bytes throws(ResponseFault) in try parser.take(bytes) }
                start += piece.count
            }
            try parser.takeEnd()
        } catch { return .failure(error) }
        guard let head = parser.head else { return .failure(.malformedHead) }
        return .success(
            Reading(
                status: head.status, reason: head.reason, headers: head.headers.map { $0.name + ": " + $0.value },
                framing: head.framing, coding: head.coding, keepsConnection: head.keepsConnection, body: parser.body))
    }

    static let words = [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.0 ", "HTTP/1.1 100 Continue\r\n\r\n", "\r\n", "\r\n\r\n", "\n", "\r", " ", ":",
        "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive, x\r\n",
        "Content-Encoding: gzip\r\n", "Content-Encoding: deflate\r\n", "0\r\n\r\n", "5\r\nhello\r\n",
        "ffffffffffffffff",
        "7fffffffffffffff", "9223372036854775807", ";x=y", "\u{1F}", "\0",
    ]

    static func response(_ random: inout SeededRandom) -> [UInt8] {
        var head = random.chance(20) ? "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" : ""
        head += "HTTP/1.\(random.chance(80) ? 1 : 0) \(random.pick([200, 204, 302, 404, 500, 599])) Words\r\n"
        if random.chance(50) { head += "Content-Type: text/plain; version=0.0.4\r\n" }
        if random.chance(20) { head += "X-Folded: a\r\n b\r\n" }
        if random.chance(20) { head += "Connection: \(random.pick(["close", "Keep-Alive"]))\r\n" }
        var body = Array(random.pick(["up 1\n", "", "a{b=\"c\"} 1\n# EOF\n"]).utf8)
        if random.chance(40) {
            head += "Content-Encoding: gzip\r\n"
            body = stored(body)
        }
        switch random.below(3) {
        case 0: head += "Content-Length: \(body.count)\r\n"
        case 1:
            head += "Transfer-Encoding: chunked\r\n"
            body = chunked(body, &random)
        default: break
        }
        return Array((head + "\r\n").utf8) + body
    }

    private static func chunked(_ body: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var out: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 + random.below(8))
            rest = rest.dropFirst(piece.count)
            out += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + Array("\r\n".utf8)
        }
        return out + Array("0\r\n\(random.chance(30) ? "X: y\r\n" : "")\r\n".utf8)
    }

    /// gzip of bytes that are not compressed (RFC 1951, 3.2.4).
    private static func stored(_ body: [UInt8]) -> [UInt8] {
        let count = UInt8(truncatingIfNeeded: body.count)
        var sum = UInt32.max
        for byte in body {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
        }
        let sumBytes = (0..<4).map { UInt8(truncatingIfNeeded: ~sum >> UInt32($0 * 8)) }
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, count, 0, ~count, 0xFF] + body + sumBytes + [count, 0, 0, 0]
    }
}
