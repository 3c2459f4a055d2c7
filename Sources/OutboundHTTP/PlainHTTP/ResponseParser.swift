/// Reads one response after the other from the bytes of a connection, however they are cut into pieces. Holds no more of
/// them than its limits say, and each byte is looked at a bounded number of times.
package struct ResponseParser {
    /// A longer head is refused.
    package static let headBytesMax = 80 << 10
    /// So many words before the answer are listened to.
    private static let skippedMax = 100

    private enum State {
        case head
        /// So many bytes of body are to come.
        case length(Int)
        case chunked
        case untilClose
        case complete
    }

    private var state = State.head
    /// The part of a head that has come, where it came in pieces.
    private var headBytes: [UInt8] = []
    /// Of the head's current line.
    private var lineCount = 0
    private var chunks = ChunkedBody()
    private var bodyBytesMax = 0
    private var bodyBytesExpected = 0
    private var isStreaming = false
    /// Words before the answer: `100 Continue` and its like.
    private var skippedCount = 0
    /// How long bodies were that came compressed, and will be again.
    private var codedBytesExpected = 0

    /// Nil until it is whole.
    package private(set) var head: ResponseHead?
    /// As it came: compressed where the head says so.
    package private(set) var body: [UInt8] = []

    package init() {}

    package var isComplete: Bool { if case .complete = state { true } else { false } }

    /// Whether the pieces of the body are taken by somebody, and only pass through here.
    var streamsBody: Bool { isStreaming && head?.status == 200 }

    /// Whether a server has said too many words before the answer for one still to be expected.
    var isFlooded: Bool { skippedCount > ResponseParser.skippedMax }

    /// Whether some of a head has come.
    var hasBegun: Bool { head != nil || !headBytes.isEmpty }

    /// Begins another response.
    /// - Parameters:
    ///   - bodyBytesMax: counts decompressed bytes; here, compressed ones are bounded by a little more.
    ///   - bodyBytesExpected: of the decompressed body.
    ///   - isStreaming: whether a body of status 200 is taken piece by piece, and so has no limit.
    package mutating func begin(bodyBytesMax: Int, bodyBytesExpected: Int, isStreaming: Bool) {
        state = .head
        headBytes.removeAll(keepingCapacity: true)
        (lineCount, skippedCount) = (0, 0)
        chunks = ChunkedBody()
        head = nil
        body = []
        self.bodyBytesMax = max(bodyBytesMax, 0)
        self.bodyBytesExpected = max(bodyBytesExpected, 0)
        self.isStreaming = isStreaming
    }

    /// Takes the next bytes.
    /// - Returns: how many of them belong to the response: all, unless it is complete.
    package mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(ResponseFault) -> Int {
        var index = 0
        while index < bytes.count {
            let rest = UnsafeBufferPointer(rebasing: bytes[index...])
            switch state {
            case .head: index += try takeHead(rest)
            case .length(let remaining):
                let count = min(remaining, rest.count)
                try append(UnsafeBufferPointer(rebasing: rest[..<count]))
                index += count
                state = count == remaining ? .complete : .length(remaining - count)
            case .chunked:
                index += try chunks.take(rest, into: &body, bytesMax: bodyBytesMax)
                if chunks.isComplete { state = .complete }
            case .untilClose:
                try append(rest)
                index = bytes.count
            case .complete: return index
            }
        }
        return index
    }

    /// The connection has ended: so has a body that lasts until then; anything else is broken off.
    package mutating func takeEnd() throws(ResponseFault) {
        switch state {
        case .untilClose: state = .complete
        case .complete: break
        default: throw .endedEarly(hasHead: head != nil)
        }
    }

    /// The head and the body of a complete response; the parser keeps neither.
    mutating func takeResponse() -> (head: ResponseHead, body: [UInt8])? {
        guard isComplete, let head else { return nil }
        if head.coding != .identity { codedBytesExpected = body.count + body.count / 16 }
        defer { (self.head, body) = (nil, []) }
        return (head, body)
    }

    /// What has come of a body that passes through; the parser keeps none of it.
    mutating func takePart() -> [UInt8] {
        defer { body = [] }
        return body
    }

    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(ResponseFault) {
        guard bytes.count <= bodyBytesMax - body.count else { throw .bodyTooLong }
        body.append(contentsOf: bytes)
    }

    // MARK: The head

    private mutating func takeHead(_ bytes: UnsafeBufferPointer<UInt8>) throws(ResponseFault) -> Int {
        if headBytes.count < 9 {
            let start = headBytes + bytes.prefix(9 - headBytes.count)
            let isHTTP = start.withUnsafeBufferPointer { ResponseHead.isVersionOne($0[...]) }
            // Who speaks another protocol is told from the first bytes, and not waited for.
            guard isHTTP else { throw .malformedHead }
        }
        var end: Int?
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A {
                if lineCount == 0 {
                    end = index + 1
                    break
                }
                lineCount = 0
            } else if byte != 0x0D {
                lineCount += 1
            }
        }
        let count = end ?? bytes.count
        guard headBytes.count + count <= ResponseParser.headBytesMax else { throw .malformedHead }
        let part = UnsafeBufferPointer(rebasing: bytes[..<count])
        if end == nil || !headBytes.isEmpty { headBytes.append(contentsOf: part) }
        if end != nil {
            let head =
                headBytes.isEmpty
                ? try ResponseHead(parsing: part)
                : try headBytes.withUnsafeBufferPointer { bytes throws(ResponseFault) in
                    try ResponseHead(parsing: bytes)
                }
            try beginBody(head)
        }
        return count
    }

    private mutating func beginBody(_ head: ResponseHead) throws(ResponseFault) {
        headBytes.removeAll(keepingCapacity: true)
        lineCount = 0
        // Another protocol was not asked for; the other words before the answer are skipped.
        guard head.status != 101 else { throw .malformedHead }
        guard head.status >= 200 else {
            skippedCount += 1
            return
        }
        self.head = head
        if streamsBody {
            bodyBytesMax = .max
        } else if head.coding != .identity {
            // What cannot be compressed becomes a little longer by the attempt.
            let (sum, isOver) = bodyBytesMax.addingReportingOverflow(bodyBytesMax / 256 + 1024)
            bodyBytesMax = isOver ? .max : sum
        }
        switch head.framing {
        case .length(let length):
            guard length <= bodyBytesMax else { throw .bodyTooLong }
            state = length == 0 ? .complete : .length(length)
            // What the server announces is believed up to a megabyte; more comes as it comes.
            if !streamsBody { body.reserveCapacity(min(length, max(bodyBytesExpected, 1 << 20))) }
        case .chunked, .untilClose:
            state = head.framing == .chunked ? .chunked : .untilClose
            let expected = head.coding == .identity ? bodyBytesExpected : codedBytesExpected
            if !streamsBody { body.reserveCapacity(min(expected, bodyBytesMax)) }
        }
    }
}
