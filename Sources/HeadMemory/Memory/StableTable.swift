/// A growing table whose elements never move: readers may follow an index that they were given while the table grows.
/// Blocks of 4,096 elements behind a directory that has its full size from the start (the system backs what is touched).
final class StableTable<Element>: @unchecked Sendable {
    private static var blockBits: UInt32 { 12 }
    private static var blockCount: Int { 1 << 12 }
    /// Of the directory: 2^26 elements.
    private static var directoryCount: Int { 1 << 14 }
    static var limit: Int { directoryCount * blockCount }

    private let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
    private(set) var count = 0

    init() {
        directory = .allocate(capacity: StableTable.directoryCount)
        directory.initialize(repeating: nil, count: StableTable.directoryCount)
    }

    deinit {
        for block in 0..<StableTable.directoryCount {
            guard let base = directory[block] else { break }
            base.deinitialize(count: min(StableTable.blockCount, count - block * StableTable.blockCount))
            base.deallocate()
        }
        directory.deallocate()
    }

    /// - Precondition: `count < limit`
    func append(_ element: Element) {
        let block = count >> Int(StableTable.blockBits)
        precondition(block < StableTable.directoryCount, "a table of \(count) elements is full")
        let base = directory[block] ?? .allocate(capacity: StableTable.blockCount)
        directory[block] = base
        (base + (count & (StableTable.blockCount - 1))).initialize(to: element)
        count += 1
    }

    /// Where an element lies, for as long as the table lives. - Precondition: `index < count`
    @inline(__always)
    subscript(index: UInt32) -> UnsafeMutablePointer<Element> {
        // The block is there for each index below the count.
        directory[Int(truncatingIfNeeded: index &>> StableTable.blockBits)].unsafelyUnwrapped
            + Int(truncatingIfNeeded: index & UInt32(StableTable.blockCount - 1))
    }
}
