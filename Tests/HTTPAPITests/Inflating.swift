import CZlib

/// zlib's own way back, for checking what was compressed.
enum Inflating {
    struct Failure: Error {
        var status: Int32
    }

    static func gunzip(_ bytes: [UInt8]) throws -> [UInt8] { try inflate(bytes, windowBits: 31) }

    static func inflate(_ bytes: [UInt8], windowBits: Int32 = 15) throws -> [UInt8] {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure(status: Z_MEM_ERROR)
        }
        defer { inflateEnd(&stream) }
        var input = bytes
        var out: [UInt8] = []
        let status = input.withUnsafeMutableBufferPointer { input -> Int32 in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            var status = Z_OK
            while status == Z_OK {
                out += [UInt8](unsafeUninitializedCapacity: 64 << 10) { output, count in
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    count = output.count - Int(stream.avail_out)
                }
            }
            return status
        }
        guard status == Z_STREAM_END else { throw Failure(status: status) }
        return out
    }
}
