import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Responses from bytes")
struct ResponseParserTests {
    /// What came of bytes.
    struct Reading: Equatable {
        var status = 0
        var headers: [String] = []
        var body: [UInt8] = []
        var keepsConnection = false
        /// Of the bytes.
        var count = 0
        var fault: ResponseFault?
    }

    static func read(
        _ bytes: [UInt8], cuts: [Int] = [], bodyBytesMax: Int = 1 << 20, hasEnd: Bool = true
    ) -> Reading {
        var parser = ResponseParser()
        parser.begin(bodyBytesMax: bodyBytesMax, bodyBytesExpected: 0, isStreaming: false)
        var reading = Reading()
        do throws(ResponseFault) {
            var start = 0
            for end in cuts + [bytes.count] where !parser.isComplete {
                let piece = Array(bytes[start..<end])
                reading.count += try piece.withUnsafeBufferPointer { piece throws(ResponseFault) in
                    try parser.take(piece)
                }
                start = end
            }
            if hasEnd { try parser.takeEnd() }
        } catch {
            // How far it came before depends on the pieces.
            return Reading(fault: error)
        }
        reading.status = parser.head?.status ?? 0
        reading.headers = parser.head?.headers.map { $0.name + "=" + $0.value } ?? []
        reading.body = parser.body
        reading.keepsConnection = parser.head?.keepsConnection ?? false
        return reading
    }

    static func read(_ text: String) -> Reading { read(Array(text.utf8)) }

    static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n00010 \r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.0 404 Not Found\nServer: x\n\nuntil the end",
        "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 500 Whatever It Is\r\nX-Folded: a\r\n  b\r\n\tc\r\nConnection: close, x\r\nContent-Length: 1\r\n\r\n!",
    ]

    @Test("Lengths, chunks with trailers, the connection's end and empty answers end a body")
    func bodies() {
        #expect(
            Self.read(Self.responses[0])
                == Reading(
                    status: 200, headers: ["Content-Length=5", "Content-Type=text/plain"], body: Array("hello".utf8),
                    keepsConnection: true, count: Self.responses[0].utf8.count))
        let chunked = Self.read(Self.responses[1])
        #expect(chunked.body == Array("hello0123456789abcdef".utf8) && chunked.keepsConnection)
        let old = Self.read(Self.responses[2])
        #expect(old.status == 404 && old.body == Array("until the end".utf8) && !old.keepsConnection)
        let empty = Self.read(Self.responses[3])
        #expect(empty.status == 204 && empty.body.isEmpty && empty.keepsConnection && empty.headers.isEmpty)
    }

    @Test("A value over several lines is one; a server that closes is believed")
    func folding() {
        let reading = Self.read(Self.responses[4])
        #expect(reading.headers[0].filter { $0 != " " } == "X-Folded=ab\tc")
        #expect(reading.body == [UInt8(ascii: "!")] && !reading.keepsConnection)
    }

    @Test("Bytes behind the response are not taken")
    func rest() {
        for text in Self.responses where !text.hasPrefix("HTTP/1.0") {
            let reading = Self.read(text + "HTTP/1.1 200 OK\r\n")
            #expect(reading.fault == nil && reading.count == text.utf8.count, "\(text)")
        }
    }

    @Test("However the bytes are cut, the response is the same")
    func splits() {
        var random = SeededRandom(seed: 7)
        for text in Self.responses {
            let bytes = Array(text.utf8)
            let whole = Self.read(bytes)
            #expect(whole.fault == nil)
            #expect(Self.read(bytes, cuts: Array(1..<bytes.count)) == whole, "\(text)")
            for cut in 1..<bytes.count { #expect(Self.read(bytes, cuts: [cut]) == whole, "\(text) at \(cut)") }
            for _ in 0..<50 {
                let cuts = (1..<bytes.count).filter { _ in random.chance(20) }
                #expect(Self.read(bytes, cuts: cuts) == whole, "\(text) at \(cuts)")
            }
        }
    }

    @Test("A response that breaks off anywhere is an error")
    func truncation() {
        for (index, text) in Self.responses.enumerated() {
            let bytes = Array(text.utf8)
            let headCount = index == 2 ? bytes.count - "until the end".utf8.count : bytes.count
            for count in 0..<headCount {
                let isHeadThere = index != 3 && Array(bytes.prefix(count)).suffix(4) == Array("\r\n\r\n".utf8)
                let fault = Self.read(Array(bytes.prefix(count))).fault
                let hasHead: Bool
                if case .endedEarly(let has) = fault { hasHead = has } else { hasHead = false }
                #expect(fault != nil && (!isHeadThere || hasHead), "\(text) to \(count)")
            }
        }
    }

    @Test("A flipped byte makes another response or an error, the same one for all cuts")
    func flips() {
        for text in Self.responses {
            let bytes = Array(text.utf8)
            for index in bytes.indices {
                for mask in [0x01, 0xA0] as [UInt8] {
                    var flipped = bytes
                    flipped[index] ^= mask
                    let whole = Self.read(flipped)
                    let cuts = Array(stride(from: 1, to: bytes.count, by: 3))
                    #expect(Self.read(flipped, cuts: cuts) == whole, "\(text) at \(index)")
                }
            }
        }
    }

    @Test(
        "What is no response is refused at once",
        arguments: [
            "SSH-2.0", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "HTTP/1.1 200 OK\r\na: x\u{0}y\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        ])
    func malformedHead(_ text: String) {
        #expect(Self.read(text).fault == .malformedHead)
    }

    @Test(
        "Chunks that are none are refused",
        arguments: [
            "\r\n", "x\r\n", "-1\r\n", "5\r\nhelloworld\r\n", "5\r\nhello\r\r\n", "5\rhello",
            "fffffffffffffffff\r\n", "7fffffffffffffffff\r\n", "5;" + String(repeating: "x", count: 5000),
            "0\r\n" + String(repeating: "a: b\r\n", count: 4000),
        ])
    func malformedChunks(_ text: String) {
        let fault = Self.read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text).fault
        // A line end that never comes is one that may come.
        #expect(fault == .malformedChunks || text == "5\rhello" && fault == .endedEarly(hasHead: true))
    }

    @Test("A head without end, and one of very many headers, is refused")
    func headLimits() {
        let endless = "HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: ResponseParser.headBytesMax)
        #expect(Self.read(endless).fault == .malformedHead)
        let many = "HTTP/1.1 200 OK\r\n" + String(repeating: "a:\r\n", count: 1001) + "\r\n"
        #expect(Self.read(many).fault == .malformedHead)
        let long = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: " + String(repeating: "x", count: 70_000) + "\r\n\r\n"
        #expect(Self.read(long).status == 200)
    }

    @Test("A body is stopped at its limit, and one that is announced as longer does not begin")
    func bodyLimit() {
        for (index, length) in [(0, 5), (1, 21), (2, 13)] {
            let bytes = Array(Self.responses[index].utf8)
            #expect(Self.read(bytes, bodyBytesMax: length).body.count == length)
            #expect(Self.read(bytes, bodyBytesMax: length - 1).fault == .bodyTooLong)
        }
        let announced = Array("HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\n".utf8)
        #expect(Self.read(announced, hasEnd: false).fault == .bodyTooLong)
    }

    @Test("Two opinions on the length, of which chunks are one, cost the connection")
    func bothLengths() {
        let reading = Self.read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(reading.fault == nil && reading.body.isEmpty && !reading.keepsConnection)
    }

    @Test("A parser reads one response after the other")
    func again() throws {
        var parser = ResponseParser()
        for text in [Self.responses[1], Self.responses[0], Self.responses[1]] {
            parser.begin(bodyBytesMax: 1000, bodyBytesExpected: 10, isStreaming: false)
            let bytes = Array(text.utf8)
            let count = try bytes.withUnsafeBufferPointer { bytes throws(ResponseFault) in
                try parser.take(bytes)
            }
            #expect(count == text.utf8.count && parser.isComplete)
            let response = parser.takeResponse()
            #expect(response?.head.status == 200 && [5, 21].contains(response?.body.count))
        }
    }
}
