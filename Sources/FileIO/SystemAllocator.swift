import CPosixShim

/// How the C library's allocator, which Swift's memory comes from, treats memory that is free again.
package enum SystemAllocator {
    /// Of a buffer that is mapped by itself and gone when it is freed. Bytes.
    private static let mappedBytes: Int32 = 1 << 20
    /// Bytes.
    private static let keptBytes: Int32 = 2 << 20
    private static let arenas: Int32 = 2

    /// To be called once, before threads start.
    ///
    /// Left alone the allocator raises its thresholds with each large buffer that comes and goes (a checkpoint, an answer
    /// to a query) and keeps up to 64 MiB of them in each of eight arenas a core: measured at 100,000 series, a third of
    /// the resident memory.
    package static func returnsFreeMemory() {
        hearth_set_allocator(mappedBytes, keptBytes, arenas)
    }
}
