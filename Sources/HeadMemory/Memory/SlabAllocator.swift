/// Memory for the head's many small pieces: label lists, words of open chunks, lists of closed ones. Pieces of like size
/// lie in slabs of 64 KiB, without a header or a reference count each; a slab that nobody uses goes back to the system.
///
/// Used by one thread, the committer. What readers may still look at must not be freed: see `ViewEpochs`.
final class SlabAllocator: @unchecked Sendable {
    /// At the start of each slab. Slabs are aligned to their size, so a piece's address tells its slab.
    private struct Header {
        var next: UnsafeMutablePointer<Header>?
        var previous: UnsafeMutablePointer<Header>?
        /// Offset of the first piece that was given back; each holds the offset of the next. 0 for none.
        var free: UInt32
        /// Offset of the pieces that were never given out.
        var fresh: UInt32
        var used: UInt32
        var sizeClass: UInt32

        var isFull: Bool { free == 0 && Int(fresh) + SlabAllocator.sizes[Int(sizeClass)] > SlabAllocator.slabBytes }
    }

    private static let slabBytes = SlabRegions.slabBytes
    private static let headerBytes = 64
    /// Larger pieces come from the system.
    static let pieceBytesMax = 2048
    private static let sizes = [
        16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792,
        2048,
    ]
    /// By sixteenths of bytes, rounded up.
    private static let classes: [UInt8] = (0...pieceBytesMax / 16).map { sixteenths in
        UInt8(sizes.firstIndex { $0 >= sixteenths * 16 } ?? sizes.count - 1)
    }

    /// By size class the slabs that have room, doubly linked.
    private var roomy = [UnsafeMutablePointer<Header>?](repeating: nil, count: sizes.count)
    private let regions = SlabRegions()
    /// Taken from the system and not given back: slabs and large pieces. Bytes.
    private(set) var bytesTaken = 0

    /// What a piece of that many bytes really has. Bytes.
    static func room(for bytes: Int) -> Int {
        bytes <= pieceBytesMax ? sizes[Int(classes[(bytes + 15) / 16])] : (bytes + 4095) / 4096 * 4096
    }

    /// - Returns: at least so many bytes, aligned to 16, with any content.
    func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard bytes <= SlabAllocator.pieceBytesMax else {
            bytesTaken += SlabAllocator.room(for: bytes)
            return .allocate(byteCount: SlabAllocator.room(for: bytes), alignment: 16)
        }
        let sizeClass = Int(SlabAllocator.classes[(bytes + 15) / 16])
        let slab = roomy[sizeClass] ?? addSlab(sizeClass)
        let base = UnsafeMutableRawPointer(slab)
        let piece: UnsafeMutableRawPointer
        if slab.pointee.free != 0 {
            piece = base + Int(slab.pointee.free)
            slab.pointee.free = piece.load(as: UInt32.self)
        } else {
            piece = base + Int(slab.pointee.fresh)
            slab.pointee.fresh += UInt32(SlabAllocator.sizes[sizeClass])
        }
        slab.pointee.used += 1
        if slab.pointee.isFull { unlink(slab) }
        return piece
    }

    /// - Parameter bytes: as it was asked for, or anything with the same `room`.
    func deallocate(_ piece: UnsafeMutableRawPointer, _ bytes: Int) {
        guard bytes <= SlabAllocator.pieceBytesMax else {
            bytesTaken -= SlabAllocator.room(for: bytes)
            piece.deallocate()
            return
        }
        let offset = Int(bitPattern: piece) & (SlabAllocator.slabBytes - 1)
        let slab = (piece - offset).assumingMemoryBound(to: Header.self)
        let wasFull = slab.pointee.isFull
        piece.storeBytes(of: slab.pointee.free, as: UInt32.self)
        slab.pointee.free = UInt32(offset)
        slab.pointee.used -= 1
        if wasFull { link(slab) }
        // One slab of each class stays: the next piece would have it taken again.
        if slab.pointee.used == 0, slab.pointee.next != nil || slab.pointee.previous != nil {
            unlink(slab)
            let base = UnsafeMutableRawPointer(slab)
            bytesTaken -= SlabAllocator.slabBytes
            regions.giveBack(base)
        }
    }

    private func addSlab(_ sizeClass: Int) -> UnsafeMutablePointer<Header> {
        let memory = regions.take()
        bytesTaken += SlabAllocator.slabBytes
        let slab = memory.bindMemory(to: Header.self, capacity: 1)
        slab.initialize(
            to: Header(
                next: nil, previous: nil, free: 0, fresh: UInt32(SlabAllocator.headerBytes), used: 0,
                sizeClass: UInt32(sizeClass)))
        link(slab)
        return slab
    }

    private func link(_ slab: UnsafeMutablePointer<Header>) {
        let sizeClass = Int(slab.pointee.sizeClass)
        slab.pointee.previous = nil
        slab.pointee.next = roomy[sizeClass]
        roomy[sizeClass]?.pointee.previous = slab
        roomy[sizeClass] = slab
    }

    private func unlink(_ slab: UnsafeMutablePointer<Header>) {
        if let previous = slab.pointee.previous {
            previous.pointee.next = slab.pointee.next
        } else {
            roomy[Int(slab.pointee.sizeClass)] = slab.pointee.next
        }
        slab.pointee.next?.pointee.previous = slab.pointee.previous
        slab.pointee.next = nil
        slab.pointee.previous = nil
    }
}
