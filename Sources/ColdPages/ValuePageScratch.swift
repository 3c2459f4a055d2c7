#if canImport(Glibc)
    import Glibc
#endif

/// The memory that encoding pages needs, taken once for any number of pages of values, timestamps or postings. Decoding
/// needs none. Not to be shared between threads.
package struct ValuePageScratch: ~Copyable {
    /// A page's numbers, and those of its orders.
    let numbers: UnsafeMutablePointer<Int64>
    let reduced: UnsafeMutablePointer<Int64>
    let differences: UnsafeMutablePointer<Int64>
    let seconds: UnsafeMutablePointer<Int64>
    let patches: UnsafeMutablePointer<Int64>
    let integers: UnsafeMutablePointer<Int64>
    let decoded: UnsafeMutablePointer<Double>
    let positions: UnsafeMutablePointer<Int64>
    /// What `count` occurrences of a token cost is the difference of two of these: n * log2(n), in bits.
    let informations: UnsafeMutablePointer<Double>
    let tokens: UnsafeMutablePointer<UInt8>
    let stepBits: UnsafeMutablePointer<UInt16>
    let stepWidths: UnsafeMutablePointer<UInt8>
    /// Positions of the values that the scale at hand cannot express.
    var odd: [UInt16] = []
    var candidate: [UInt8] = []
    var best: [UInt8] = []
    private let memory: UnsafeMutableRawPointer

    package init() {
        let count = ValuePage.samplesMax
        let lane = (count + 8) * 8
        memory = UnsafeMutableRawPointer.allocate(byteCount: lane * 12, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: lane * 12)
        func take<T>(_ index: Int, _ type: T.Type, _ memory: UnsafeMutableRawPointer) -> UnsafeMutablePointer<T> {
            (memory + index * lane).bindMemory(to: type, capacity: count + 8)
        }
        numbers = take(0, Int64.self, memory)
        reduced = take(1, Int64.self, memory)
        differences = take(2, Int64.self, memory)
        seconds = take(3, Int64.self, memory)
        patches = take(4, Int64.self, memory)
        integers = take(5, Int64.self, memory)
        positions = take(6, Int64.self, memory)
        decoded = take(7, Double.self, memory)
        informations = take(8, Double.self, memory)
        tokens = take(9, UInt8.self, memory)
        stepBits = take(10, UInt16.self, memory)
        stepWidths = take(11, UInt8.self, memory)
        for index in 2...count { informations[index] = Double(index) * log2(Double(index)) }
    }

    deinit { memory.deallocate() }
}
