import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// Reads the content of an index by position. Pages are copied out of the mapping, checked, and kept in a small cache;
/// nothing is read that nobody asked for.
struct PageReader {
    private struct CachedPage {
        var number = -1
        var content: [UInt8] = []
    }

    private let file: MappedFile
    /// Direct-mapped: page n has its place at n modulo the size. 64 pages are 256 KiB.
    private var cache = [CachedPage](repeating: CachedPage(), count: 64)

    init(_ file: MappedFile) { self.file = file }

    /// - Throws: `StorageError.corruption` where the content ends before, or a page's checksum is wrong.
    mutating func read(_ position: UInt64, _ count: Int) throws(StorageError) -> [UInt8] {
        // Bounds the allocation by the file.
        guard count >= 0, count <= file.size, position <= UInt64(file.size) else {
            throw damaged(page: 0, "position \(position) beyond the index")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var place = Int(position)
        while bytes.count < count {
            let (number, offset) = place.quotientAndRemainder(dividingBy: BlockFormat.pageContentBytes)
            let slot = try load(number)
            let end = min(cache[slot].content.count, offset + count - bytes.count)
            guard offset < end else { throw damaged(page: number, "position \(position) beyond the index") }
            bytes.append(contentsOf: cache[slot].content[offset..<end])
            place += end - offset
        }
        return bytes
    }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type, at position: UInt64) throws(StorageError) -> T {
        let size = MemoryLayout<T>.size
        if position <= UInt64(file.size) {
            // Nearly always the number lies within one page: no array then.
            let (number, offset) = Int(position).quotientAndRemainder(dividingBy: BlockFormat.pageContentBytes)
            let slot = try load(number)
            if offset + size <= cache[slot].content.count {
                return T(
                    littleEndian: cache[slot].content.withUnsafeBytes {
                        $0.loadUnaligned(fromByteOffset: offset, as: T.self)
                    })
            }
        }
        let bytes = try read(position, size)
        return T(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: T.self) })
    }

    /// Brings a page into the cache. - Returns: its place there.
    private mutating func load(_ number: Int) throws(StorageError) -> Int {
        let slot = number % cache.count
        if cache[slot].number == number { return slot }
        let offset = number * BlockFormat.pageBytes
        let size = min(BlockFormat.pageBytes, file.size - offset)
        guard size > BlockFormat.checksumBytes else { throw damaged(page: number, "page beyond the end") }
        var content: [UInt8]
        do throws(FileError) {
            content = try file.bytes(at: offset, count: size)
        } catch {
            throw damaged(page: number, error.description)
        }
        let end = size - BlockFormat.checksumBytes
        let checksum = content.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        }
        content.removeLast(BlockFormat.checksumBytes)
        guard CRC32C.checksum(content) == checksum else { throw damaged(page: number, "page checksum") }
        cache[slot] = CachedPage(number: number, content: content)
        return slot
    }

    private func damaged(page: Int, _ reason: String) -> StorageError {
        .corruption(file: file.path, offset: page * BlockFormat.pageBytes, reason: reason)
    }
}
