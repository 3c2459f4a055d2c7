internal import CSnappy

/// The snappy block format through libsnappy: the decompressed size as a varint, then literals and copies. The framed
/// format of files is another one.
package enum Snappy {
    package enum DecodeError: Error, Sendable, Hashable {
        /// The bytes are not a whole snappy block.
        case malformed
        /// The block declares more bytes than the caller takes.
        case tooLarge(size: Int, sizeMax: Int)
    }

    /// The densest element is a copy: three bytes that stand for 64.
    private static let expansionMax = 22

    /// Looks at the declared size before anything is allocated: it must be within `sizeMax`, and within what so many
    /// bytes can stand for at all.
    /// - Parameter sizeMax: bytes.
    package static func decompress(
        _ block: UnsafeRawBufferPointer, sizeMax: Int
    ) throws(DecodeError) -> [UInt8] {
        guard let source = block.baseAddress?.assumingMemoryBound(to: CChar.self) else { throw .malformed }
        var declared = 0
        guard snappy_uncompressed_length(source, block.count, &declared) == SNAPPY_OK, declared >= 0 else {
            throw .malformed
        }
        guard declared <= sizeMax else { throw .tooLarge(size: declared, sizeMax: sizeMax) }
        guard declared / expansionMax <= block.count else { throw .malformed }
        // A null target is no place to write even nothing to.
        if declared == 0 {
            guard snappy_validate_compressed_buffer(source, block.count) == SNAPPY_OK else { throw .malformed }
            return []
        }
        var written = 0
        let output = [UInt8](unsafeUninitializedCapacity: declared) { target, count in
            guard let base = target.baseAddress else { return }
            written = declared
            let status = snappy_uncompress(
                source, block.count, UnsafeMutableRawPointer(base).assumingMemoryBound(to: CChar.self), &written)
            if status != SNAPPY_OK { written = 0 }
            count = written
        }
        guard written == declared else { throw .malformed }
        return output
    }

    package static func decompress(_ block: [UInt8], sizeMax: Int) throws(DecodeError) -> [UInt8] {
        let result = block.withUnsafeBytes { bytes -> Result<[UInt8], DecodeError> in
            do throws(DecodeError) {
                return .success(try decompress(bytes, sizeMax: sizeMax))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// - Precondition: less than 4 GiB, the most that the format holds.
    package static func compress(_ input: [UInt8]) -> [UInt8] {
        precondition(UInt32(exactly: input.count) != nil, "\(input.count) bytes do not fit into one snappy block")
        return input.withUnsafeBytes { source in
            let room = snappy_max_compressed_length(source.count)
            return [UInt8](unsafeUninitializedCapacity: room) { target, count in
                guard let base = target.baseAddress.map({ UnsafeMutableRawPointer($0) }) else { return }
                var written = room
                // An empty array may have no address; nothing is read from the stand-in.
                let status = snappy_compress(
                    (source.baseAddress ?? UnsafeRawPointer(base)).assumingMemoryBound(to: CChar.self), source.count,
                    base.assumingMemoryBound(to: CChar.self), &written)
                precondition(status == SNAPPY_OK, "snappy refuses a room of \(room) bytes for \(source.count)")
                count = written
            }
        }
    }
}
