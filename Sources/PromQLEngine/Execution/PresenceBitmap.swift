/// One bit per step.
struct PresenceBitmap: Sendable, Equatable {
    private(set) var words: [UInt64]
    let count: Int

    init(count: Int, filled: Bool = false) {
        self.count = count
        words = [UInt64](repeating: filled ? .max : 0, count: (count + 63) / 64)
        if filled, count % 64 != 0 { words[words.count - 1] = (1 &<< UInt64(count % 64)) &- 1 }
    }

    @inline(__always)
    func contains(_ index: Int) -> Bool { words[index &>> 6] &>> UInt64(index & 63) & 1 != 0 }

    @inline(__always)
    mutating func insert(_ index: Int) { words[index &>> 6] |= 1 &<< UInt64(index & 63) }

    @inline(__always)
    mutating func remove(_ index: Int) { words[index &>> 6] &= ~(1 &<< UInt64(index & 63)) }

    /// Sets or clears every bit as the body says, in order.
    @inline(__always)
    mutating func fill(_ isPresent: (Int) -> Bool) {
        let count = count
        words.withUnsafeMutableBufferPointer { words in
            for index in words.indices {
                let first = index &<< 6
                let end = min(64, count &- first)
                var word: UInt64 = 0
                for bit in 0..<end where isPresent(first &+ bit) { word |= 1 &<< UInt64(truncatingIfNeeded: bit) }
                words[index] = word
            }
        }
    }

    mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    mutating func formUnion(_ other: PresenceBitmap) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    mutating func formIntersection(_ other: PresenceBitmap) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    mutating func subtract(_ other: PresenceBitmap) {
        for index in words.indices { words[index] &= ~other.words[index] }
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    var isFull: Bool { populationCount == count }

    var populationCount: Int { words.reduce(0) { $0 &+ $1.nonzeroBitCount } }

    /// The first step that both have, nil where they are disjoint.
    func firstCommon(with other: PresenceBitmap) -> Int? {
        for index in words.indices {
            let common = words[index] & other.words[index]
            if common != 0 { return index &* 64 &+ common.trailingZeroBitCount }
        }
        return nil
    }

    /// The steps present, ascending.
    @inline(__always)
    func forEach(_ body: (Int) throws -> Void) rethrows {
        for (wordIndex, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                try body(wordIndex &* 64 &+ rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }
}
