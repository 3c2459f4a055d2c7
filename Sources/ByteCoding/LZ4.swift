internal import CLZ4

/// The LZ4 block format through liblz4. A block does not tell its own decompressed size: the format around it does, and
/// the caller bounds that number before anything is allocated.
package enum LZ4 {
    /// The bytes are not an LZ4 block of the declared size.
    package struct Malformed: Error, Sendable, Hashable {
        package init() {}
    }

    /// Replaces `output` by the compressed block.
    /// - Returns: false, and an empty output, where the block would not be smaller than `limit` bytes.
    package static func compress(
        _ input: UnsafeRawBufferPointer, into output: inout [UInt8], smallerThan limit: Int
    ) -> Bool {
        output.removeAll(keepingCapacity: true)
        guard let source = input.baseAddress, let size = Int32(exactly: input.count), size > 0, limit > 1 else {
            return false
        }
        let bound = Int(LZ4_compressBound(size))
        guard bound > 0 else { return false }
        let room = Int32(clamping: min(bound, limit - 1))
        output.append(contentsOf: repeatElement(0, count: Int(room)))
        let written = output.withUnsafeMutableBytes { target in
            LZ4_compress_default(
                source.assumingMemoryBound(to: CChar.self), target.baseAddress?.assumingMemoryBound(to: CChar.self),
                size, room)
        }
        // 0: it did not fit into the room.
        output.removeLast(output.count - Int(max(0, written)))
        return written > 0
    }

    /// - Parameter size: the decompressed size that the format around the block declares; the caller has bounded it.
    /// - Throws: `Malformed` unless the block decompresses to exactly that size.
    package static func decompress(_ block: [UInt8], size: Int) throws(Malformed) -> [UInt8] {
        guard let blockSize = Int32(exactly: block.count), let outputSize = Int32(exactly: size), size >= 0 else {
            throw Malformed()
        }
        var written: Int32 = -1
        let output = [UInt8](unsafeUninitializedCapacity: size) { target, count in
            written = block.withUnsafeBytes { source in
                LZ4_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    target.baseAddress.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: CChar.self) },
                    blockSize, outputSize)
            }
            count = Int(max(0, written))
        }
        guard written == outputSize else { throw Malformed() }
        return output
    }
}
