import CZlib

/// How a body may be compressed.
enum ContentEncoding: String, Sendable {
    case gzip, deflate

    /// The first that the client names; weights other than zero are not looked at, as upstream.
    static func preferred(_ acceptEncoding: String) -> ContentEncoding? {
        for entry in acceptEncoding.lowercased().split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let encoding = parts.first.flatMap({ ContentEncoding(rawValue: $0) }) else { continue }
            let isRefused = parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
            if !isRefused { return encoding }
        }
        return nil
    }
}

/// Compresses one body with zlib, at the level that costs least: JSON of metrics shrinks tenfold even so.
final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private static let outputBytes = 64 << 10
    private static let windowBits: Int32 = 15
    /// Added to the window bits, it asks for gzip's header and trailer in place of zlib's.
    private static let gzipFlag: Int32 = 16

    init(_ encoding: ContentEncoding) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let bits = Deflater.windowBits + (encoding == .gzip ? Deflater.gzipFlag : 0)
        let status = deflateInit2_(
            stream, Z_BEST_SPEED, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib refused to start: \(status)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// - Returns: what is ready to be sent; may be empty.
    func compress(_ bytes: [UInt8]) -> [UInt8] { run(bytes, Z_NO_FLUSH) }

    /// Ends the body. - Returns: the rest.
    func finish() -> [UInt8] { run([], Z_FINISH) }

    func compressWhole(_ bytes: [UInt8]) -> [UInt8] { run(bytes, Z_FINISH) }

    private func run(_ bytes: [UInt8], _ flush: Int32) -> [UInt8] {
        var input = bytes
        var out: [UInt8] = []
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            // Bodies are held in memory and parts of them are small: far below what 32 bits count.
            stream.pointee.avail_in = UInt32(clamping: input.count)
            var isFull = true
            while isFull {
                let part = [UInt8](unsafeUninitializedCapacity: Deflater.outputBytes) { output, count in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(clamping: output.count)
                    deflate(stream, flush)
                    count = output.count - Int(stream.pointee.avail_out)
                    isFull = stream.pointee.avail_out == 0
                }
                out += part
            }
            stream.pointee.next_in = nil
        }
        return out
    }
}
