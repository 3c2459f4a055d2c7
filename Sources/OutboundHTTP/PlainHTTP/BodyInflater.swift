import CZlib

/// How a body was compressed (RFC 9110, 8.4.1). What we do not know is left as it came.
package enum ContentCoding: Sendable, Hashable {
    case identity, gzip, deflate

    init(_ value: Slice<UnsafeBufferPointer<UInt8>>) {
        if HTTPBytes.equal(value, "gzip") || HTTPBytes.equal(value, "x-gzip") {
            self = .gzip
        } else {
            self = HTTPBytes.equal(value, "deflate") ? .deflate : .identity
        }
    }
}

/// Unpacks one body: piece by piece with zlib; a whole one in gzip at once, with libdeflate.
package final class BodyInflater {
    private static let windowBits: Int32 = 15
    /// Added to the window bits, it asks for gzip's header and trailer in place of zlib's.
    private static let gzipFlag: Int32 = 16
    /// No deflated byte makes more.
    private static let ratioMax = 1032
    /// What a trailer says about the length is believed so far. bytes
    private static let announcedMax = 16 << 20
    private static let pieceBytes = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>
    private let isGzip: Bool
    /// Whether the data ended where the last member did.
    private(set) var isAtEnd = false

    /// - Parameter start: of the body. `deflate` should have zlib's header and often has not.
    init(_ coding: ContentCoding, start: some Collection<UInt8>) throws(ResponseFault) {
        isGzip = coding == .gzip
        var bits = BodyInflater.windowBits + (isGzip ? BodyInflater.gzipFlag : 0)
        if !isGzip, let first = start.first, start.count > 1, let second = start.dropFirst().first,
            first & 0x0F != 8 || (Int(first) << 8 | Int(second)) % 31 != 0
        {
            bits = -bits
        }
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformedCoding
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// The whole of a body.
    /// - Parameters:
    ///   - bytesMax: a longer body is refused as soon as it shows.
    ///   - bytesExpected: to allocate once.
    package static func inflate(
        _ body: [UInt8], _ coding: ContentCoding, bytesMax: Int, bytesExpected: Int
    ) throws(ResponseFault) -> [UInt8] {
        if body.isEmpty { return [] }
        var expected = bytesExpected
        if coding == .gzip, body.count >= 18 {
            // The last four bytes are the length, little-endian; a server may lie.
            let length = body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            expected = min(length, body.count * ratioMax, max(bytesExpected, announcedMax))
        }
        // One more than allowed, to see whether there is more.
        let roomMax = min(bytesMax, 1 << 40) + 1
        let capacity = min(max(expected, body.count, 512) + 1, roomMax)
        if coding == .gzip, let out = try inflateAtOnce(body, capacity, roomMax) { return out }
        return try inflateInSteps(body, coding, capacity, roomMax)
    }

    /// - Parameters:
    ///   - capacity: room for so much is made first.
    ///   - roomMax: a text that fills so much is too long.
    /// - Returns: nil for what libdeflate does not take.
    private static func inflateAtOnce(
        _ body: [UInt8], _ capacity: Int, _ roomMax: Int
    ) throws(ResponseFault) -> [UInt8]? {
        var capacity = capacity
        while true {
            var outcome = GzipBody.Outcome.isNone
            let out = [UInt8](unsafeUninitializedCapacity: capacity) { room, count in
                outcome = body.withUnsafeBytes {
                    GzipBody.inflate($0, into: UnsafeMutableRawBufferPointer(room), &count)
                }
            }
            switch outcome {
            case .complete where out.count < roomMax: return out
            case .isNone: return nil
            default: if capacity == roomMax { throw .bodyTooLong }
            }
            capacity = min(max(capacity * 2, 64 << 10), roomMax)
        }
    }

    private static func inflateInSteps(
        _ body: [UInt8], _ coding: ContentCoding, _ capacity: Int, _ roomMax: Int
    ) throws(ResponseFault) -> [UInt8] {
        let inflater = try BodyInflater(coding, start: body)
        var (offset, capacity) = (0, capacity)
        var out: [UInt8] = []
        while true {
            try inflater.extend(&out, to: capacity, from: body, &offset)
            guard out.count < roomMax else { throw .bodyTooLong }
            if inflater.isAtEnd, offset == body.count { return out }
            guard out.count == capacity else { throw .endedEarly(hasHead: true) }
            capacity = min(max(capacity * 2, 64 << 10), roomMax)
        }
    }

    /// The next part of a body that is not gathered, in pieces of bounded length.
    /// - Returns: false when the receiver wants no more.
    func inflate(part: [UInt8], _ receive: ([UInt8]) -> Bool) throws(ResponseFault) -> Bool {
        var offset = 0
        while true {
            var piece: [UInt8] = []
            try extend(&piece, to: BodyInflater.pieceBytes, from: part, &offset)
            guard piece.isEmpty || receive(piece) else { return false }
            // A stream that has filled the room may hold more back.
            guard piece.count == BodyInflater.pieceBytes else { return true }
        }
    }

    /// Unpacks until the array is as long as wanted or the input is used up.
    private func extend(
        _ out: inout [UInt8], to capacity: Int, from input: [UInt8], _ offset: inout Int
    ) throws(ResponseFault) {
        var isMalformed = false
        let old = out
        out = [UInt8](unsafeUninitializedCapacity: capacity) { room, count in
            count = old.withUnsafeBytes { old in
                UnsafeMutableRawBufferPointer(room).copyMemory(from: old)
                return old.count
            }
            input.withUnsafeBufferPointer { input in
                isMalformed = !run(input, &offset, room, &count)
            }
        }
        if isMalformed { throw .malformedCoding }
    }

    /// - Returns: false where the data are none.
    private func run(
        _ input: UnsafeBufferPointer<UInt8>, _ offset: inout Int, _ room: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) -> Bool {
        while count < room.count {
            let (inputCount, outputCount) = (input.count - offset, room.count - count)
            if isAtEnd {
                // Several members in a row are one text (RFC 1952, 2.2); after zlib's data there is nothing.
                guard inputCount > 0 else { return true }
                guard isGzip, inflateReset(stream) == Z_OK else { return false }
                isAtEnd = false
            }
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + offset })
            stream.pointee.avail_in = UInt32(clamping: inputCount)
            stream.pointee.next_out = room.baseAddress.map { $0 + count }
            stream.pointee.avail_out = UInt32(clamping: outputCount)
            let (inputRoom, outputRoom) = (stream.pointee.avail_in, stream.pointee.avail_out)
            let status = zlibInflate(stream, Z_NO_FLUSH)
            offset += Int(inputRoom - stream.pointee.avail_in)
            count += Int(outputRoom - stream.pointee.avail_out)
            stream.pointee.next_in = nil
            switch status {
            case Z_STREAM_END: isAtEnd = true
            case Z_OK: continue
            // No progress without more input.
            case Z_BUF_ERROR: return true
            default: return false
            }
        }
        return true
    }
}

/// The name of zlib's function is taken by methods here.
private func zlibInflate(_ stream: UnsafeMutablePointer<z_stream>, _ flush: Int32) -> Int32 { inflate(stream, flush) }
