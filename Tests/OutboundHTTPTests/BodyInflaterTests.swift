import Testing

@testable import OutboundHTTP

@Suite("Bodies unpacked")
struct BodyInflaterTests {
    /// The data of gzip without its header and trailer.
    private static let deflated = Array(Fixture.zippedLine.dropFirst(10).dropLast(8))
    private static let line = Array("up 1\n".utf8)

    private func inflate(
        _ body: [UInt8], _ coding: ContentCoding = .gzip, bytesMax: Int = 1 << 20, bytesExpected: Int = 0
    ) throws(ResponseFault) -> [UInt8] {
        try BodyInflater.inflate(body, coding, bytesMax: bytesMax, bytesExpected: bytesExpected)
    }

    @Test("gzip, several members of it, zlib's form and bare data")
    func forms() throws {
        #expect(try inflate(Fixture.zippedLine) == Self.line)
        #expect(try inflate(Fixture.zippedLine + Fixture.zippedLine) == Self.line + Self.line)
        #expect(try inflate(Self.deflated, .deflate) == Self.line)
        var (low, high) = (1, 0)
        for byte in Self.line {
            low = (low + Int(byte)) % 65_521
            high = (high + low) % 65_521
        }
        let sum = [high >> 8, high & 0xFF, low >> 8, low & 0xFF].map { UInt8($0) }
        #expect(try inflate([0x78, 0x9C] + Self.deflated + sum, .deflate) == Self.line)
        #expect(try inflate([]) == [])
    }

    @Test("The limit counts what comes out, to the byte")
    func limit() throws {
        for expected in [0, 300_000, 299_999, 1 << 20] {
            #expect(try inflate(Fixture.zippedBomb, bytesMax: 300_000, bytesExpected: expected).count == 300_000)
            #expect(throws: ResponseFault.bodyTooLong) {
                try inflate(Fixture.zippedBomb, bytesMax: 299_999, bytesExpected: expected)
            }
        }
    }

    @Test("A trailer that lies about the length is found out")
    func lie() {
        for length in [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 0, 0, 0]] as [[UInt8]] {
            #expect(throws: ResponseFault.malformedCoding) { try inflate(Fixture.zippedBomb.dropLast(4) + length) }
        }
    }

    @Test("Data that end early, go on behind their end, or are none, are errors")
    func broken() {
        for count in 1..<Fixture.zippedLine.count {
            #expect(throws: ResponseFault.endedEarly(hasHead: true)) {
                try inflate(Array(Fixture.zippedLine.prefix(count)))
            }
        }
        #expect(throws: ResponseFault.malformedCoding) { try inflate(Fixture.zippedLine + Self.line) }
        #expect(throws: ResponseFault.malformedCoding) { try inflate(Self.line) }
    }

    @Test("A flipped byte is an error or changes nothing, and a stream in pieces gives what the whole gives")
    func flips() throws {
        for index in Fixture.zippedLine.indices {
            var flipped = Fixture.zippedLine
            flipped[index] ^= 0xFF
            let result = Result { () throws(ResponseFault) in try inflate(flipped) }
            if case .success(let body) = result { #expect(body == Self.line, "\(index)") }
        }
        let inflater = try BodyInflater(.gzip, start: Fixture.zippedBomb)
        var body: [UInt8] = []
        for byte in Fixture.zippedBomb {
            _ = try inflater.inflate(part: [byte]) { piece in
                body += piece
                return true
            }
        }
        #expect(inflater.isAtEnd && body.count == 300_000)
        var pieces: [Int] = []
        let whole = try BodyInflater(.gzip, start: Fixture.zippedBomb)
        let isWanted = try whole.inflate(part: Fixture.zippedBomb) { piece in
            pieces.append(piece.count)
            return pieces.count < 3
        }
        #expect(!isWanted && pieces == [65_536, 65_536, 65_536])
    }
}
