/// Takes a body out of its chunks (RFC 9112, 7.1), however the bytes are cut into pieces.
struct ChunkedBody {
    private enum Place {
        /// The digits of a chunk's size.
        case size
        /// What follows the digits in their line; nobody reads it.
        case afterSize
        case data
        /// The line end behind the data.
        case afterData
        case trailers
        case end
    }

    /// No line about a size is longer, and no trailers are. bytes
    private static let lineMax = 4 << 10
    private static let trailersMax = 16 << 10

    private var place = Place.size
    /// What is still to come of the chunk.
    private var remaining = 0
    /// Of the line, or of all trailers.
    private var count = 0
    private var hasDigits = false
    private var trailerLineCount = 0

    var isComplete: Bool { place == .end }

    /// Appends what is data among the bytes.
    /// - Parameter bytesMax: how long the body may become.
    /// - Returns: how many bytes belong to the chunks: all of them, but for the end.
    mutating func take(
        _ bytes: UnsafeBufferPointer<UInt8>, into body: inout [UInt8], bytesMax: Int
    ) throws(ResponseFault) -> Int {
        var index = 0
        while index < bytes.count, place != .end {
            if place == .data {
                let count = min(remaining, bytes.count - index)
                guard count <= bytesMax - body.count else { throw .bodyTooLong }
                body.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[index..<index + count]))
                index += count
                remaining -= count
                if remaining == 0 { (place, self.count) = (.afterData, 0) }
            } else {
                try take(bytes[index])
                index += 1
            }
        }
        return index
    }

    /// A byte that is not data.
    private mutating func take(_ byte: UInt8) throws(ResponseFault) {
        count += 1
        switch place {
        case .size: try take(sizeByte: byte)
        case .afterSize:
            guard count <= ChunkedBody.lineMax else { throw .malformedChunks }
            if byte == 0x0A { beginChunk() }
        case .afterData:
            if byte == 0x0A {
                (place, count, hasDigits) = (.size, 0, false)
            } else if byte != 0x0D || count > 1 {
                throw .malformedChunks
            }
        case .trailers:
            guard count <= ChunkedBody.trailersMax else { throw .malformedChunks }
            if byte == 0x0A {
                if trailerLineCount == 0 { place = .end }
                trailerLineCount = 0
            } else if byte != 0x0D {
                trailerLineCount += 1
            }
        case .data, .end: break
        }
    }

    private mutating func take(sizeByte byte: UInt8) throws(ResponseFault) {
        guard count <= ChunkedBody.lineMax else { throw .malformedChunks }
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
        case 0x0A where hasDigits: return beginChunk()
        case 0x0D where hasDigits, 0x20 where hasDigits, 0x09 where hasDigits, UInt8(ascii: ";") where hasDigits:
            place = .afterSize
            return
        default: throw .malformedChunks
        }
        guard remaining <= Int.max >> 4 else { throw .malformedChunks }
        remaining = remaining << 4 | Int(digit)
        hasDigits = true
    }

    /// Behind the line with the size.
    private mutating func beginChunk() {
        place = remaining == 0 ? .trailers : .data
        (count, trailerLineCount) = (0, 0)
    }
}
