/// Byte strings packed one behind the other into slabs: no allocation for each, and none is ever moved but by whoever
/// writes all of them anew.
struct LabelSlabs {
    /// Where a string begins.
    struct Place {
        var slab: UInt32
        var offset: UInt32
    }

    static let slabBytes = 1 << 20
    private var slabs: [[UInt8]] = []
    /// Of all strings that were ever added.
    private(set) var byteCount = 0

    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Place {
        if slabs.isEmpty || slabs[slabs.count - 1].count + bytes.count > LabelSlabs.slabBytes {
            var slab: [UInt8] = []
            // A longer string has a slab to itself.
            slab.reserveCapacity(max(bytes.count, LabelSlabs.slabBytes))
            slabs.append(slab)
        }
        let last = slabs.count - 1
        let place = Place(slab: UInt32(last), offset: UInt32(slabs[last].count))
        slabs[last].append(contentsOf: bytes)
        byteCount += bytes.count
        return place
    }

    @inline(__always)
    func withBytes<R>(at place: Place, count: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        slabs[Int(place.slab)].withUnsafeBytes { all in
            body(UnsafeRawBufferPointer(rebasing: all[Int(place.offset)..<Int(place.offset) + Int(count)]))
        }
    }
}
