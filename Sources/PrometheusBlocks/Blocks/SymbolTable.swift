import ByteCoding
import StorageAPI

/// The texts of an index, by number: the place of every sixteenth is kept, the others are found from there.
///
/// An index of version 1 names its symbols by their place in the file.
struct SymbolTable: Sendable {
    private static let stride = 16

    private struct CachedSymbol {
        var number = -1
        var bytes: [UInt8] = []
    }

    private let file: CheckedFile
    private let isNamedByPlace: Bool
    private let count: Int
    /// Of symbols 0, 16, 32…, in the file.
    private let places: [Int]
    /// Where the last symbol ends, in the file.
    private let end: Int
    /// Direct-mapped.
    private var cache = [CachedSymbol](repeating: CachedSymbol(), count: 1024)

    /// Reads the whole section once, and checks it.
    init(_ file: CheckedFile, at offset: Int, version: UInt8) throws(StorageError) {
        self.file = file
        isNamedByPlace = version == 1
        guard offset > 0 else {
            (count, places, end) = (0, [], 0)
            return
        }
        let content = try file.section(at: offset, "symbols")
        (count, places) = try file.fields(content, at: offset + 4, "symbols") {
            (cursor: inout ByteCursor) throws(ByteError) in
            let count = Int(try cursor.bigEndian(UInt32.self))
            guard count <= cursor.remaining else { throw .outOfBounds(offset: 0, what: "number of symbols") }
            var places: [Int] = []
            places.reserveCapacity(count / SymbolTable.stride + 1)
            for number in 0..<count {
                if number % SymbolTable.stride == 0 { places.append(offset + 4 + cursor.position) }
                _ = try cursor.sizedBytes()
            }
            return (count, places)
        }
        end = offset + 4 + content.count
    }

    /// - Parameter number: as in series entries: an index, or in version 1 a place in the file.
    mutating func symbol(_ number: Int) throws(StorageError) -> [UInt8] {
        let slot = number & (cache.count - 1)
        if cache[slot].number == number { return cache[slot].bytes }
        let bytes = try isNamedByPlace ? symbol(at: number, skipping: 0) : numbered(number)
        cache[slot] = CachedSymbol(number: number, bytes: bytes)
        return bytes
    }

    private func numbered(_ number: Int) throws(StorageError) -> [UInt8] {
        guard number >= 0, number < count else { throw file.damaged(at: end, "symbol \(number) of \(count)") }
        let (row, rest) = number.quotientAndRemainder(dividingBy: SymbolTable.stride)
        return try symbol(at: places[row], skipping: rest)
    }

    private func symbol(at place: Int, skipping skipped: Int) throws(StorageError) -> [UInt8] {
        guard let first = places.first, place >= first, place < end else {
            throw file.damaged(at: place, "symbol outside of its section")
        }
        // Nearly always short; the whole rest where it was not enough.
        for size in [min(1024, end - place), end - place] {
            let piece = try file.bytes(at: place, count: size)
            do throws(ByteError) {
                return try ByteCursor.read(piece) { (cursor: inout ByteCursor) throws(ByteError) in
                    for _ in 0..<skipped { _ = try cursor.sizedBytes() }
                    return [UInt8](try cursor.sizedBytes())
                }
            } catch {
                if size == end - place { throw file.damaged(at: place + error.offset, "symbol: \(error)") }
            }
        }
        throw file.damaged(at: place, "symbol")
    }
}
