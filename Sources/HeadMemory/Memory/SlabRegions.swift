#if canImport(Glibc)
    import Glibc
#endif

/// Where slabs lie: in regions of 64 of them. (Taken one by one, aligned to their size, slabs cost twice their size: the
/// gaps that alignment leaves fit no other slab.)
///
/// The pages of a slab that nobody uses go back to the system; its place is kept. Used by one thread.
final class SlabRegions {
    /// Of a slab, and what it is aligned to.
    static let slabBytes = 64 << 10
    private static let regionSlabs = 64

    private var regions: [UnsafeMutableRawPointer] = []
    private var free: [UnsafeMutableRawPointer] = []

    deinit { for region in regions { region.deallocate() } }

    /// - Returns: a slab with any content.
    func take() -> UnsafeMutableRawPointer {
        if free.isEmpty { addRegion() }
        // A region has just been added where there was none.
        return free.removeLast()
    }

    func giveBack(_ slab: UnsafeMutableRawPointer) {
        // Failing costs memory, nothing else.
        _ = madvise(slab, SlabRegions.slabBytes, MADV_DONTNEED)
        free.append(slab)
    }

    private func addRegion() {
        let bytes = SlabRegions.regionSlabs * SlabRegions.slabBytes
        let region = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: SlabRegions.slabBytes)
        regions.append(region)
        // The first ones are taken first: pages that were never touched take no memory.
        for offset in stride(from: bytes - SlabRegions.slabBytes, through: 0, by: -SlabRegions.slabBytes) {
            free.append(region + offset)
        }
    }
}
