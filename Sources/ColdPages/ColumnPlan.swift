import ByteCoding

/// How the numbers of a page could be written, and what that takes.
struct ColumnPlan {
    var encoding: ValueEncoding
    /// 0, 1 or 2: the numbers, their differences, the differences of those.
    var order = 0
    var reference: Int64 = 0
    /// Packed: the bits of a number. Entropy: the bits of a number that are not coded but packed.
    var width = 0
    /// Entropy: the distance from the reference at and above which a number is an exception, as a number of bits.
    var window = 0
    /// An estimate in bits, the exceptions included.
    var cost = Double.infinity
}

/// How many numbers need how many bits, seen from one reference.
private struct WidthHistogram {
    /// Index 0 to 64; 65 counts what a reference does not cover at any width.
    var counts = InlineArray<66, Int32>(repeating: 0)
    /// Bits of the widest number as an exception.
    var patchWidth = 0

    @inline(__always)
    mutating func add(_ width: Int, _ patch: Int) {
        counts[width] += 1
        patchWidth = max(patchWidth, patch)
    }

    /// How many numbers do not fit into `width` bits.
    func exceptions(_ width: Int) -> Int {
        var sum = 0
        for index in width + 1..<66 { sum += Int(counts[index]) }
        return sum
    }
}

/// Finds a good frame for a column: the reference and the width that take the fewest bits with their exceptions.
struct FrameSearch {
    enum Reference: CaseIterable {
        /// The smallest number: nothing lies below it.
        case least
        /// 0: counters seldom fall.
        case zero
        /// The middle of the window at a typical number.
        case centred
    }

    private(set) var best = ColumnPlan(encoding: .packed)
    private(set) var reference = Reference.least
    /// Widths worth a try by a coder to which the range costs little: with few, very few and no exceptions.
    private(set) var windows: [Int] = []
    private let least: Int64
    private let typical: Int64

    init(_ numbers: UnsafePointer<Int64>, _ count: Int) {
        var least = numbers[0]
        for index in 1..<max(1, count) { least = min(least, numbers[index]) }
        self.least = least
        typical = FrameSearch.typical(numbers, count)
        var histograms = (WidthHistogram(), WidthHistogram(), WidthHistogram())
        for index in 0..<count {
            let number = numbers[index]
            let fromLeast = BitPacking.width(UInt64(bitPattern: number &- least))
            histograms.0.add(fromLeast, fromLeast + 1)
            let signed = BitPacking.width(Varint.zigzag(number))
            histograms.1.add(number < 0 ? 65 : signed - (number == 0 ? 0 : 1), signed)
            let distance = number &- typical
            let centred = BitPacking.width(Varint.zigzag(distance))
            histograms.2.add(centred, centred + 1)
        }
        consider(.least, histograms.0, count)
        consider(.zero, histograms.1, count)
        consider(.centred, histograms.2, count)
        switch reference {
        case .least: windows = FrameSearch.windows(histograms.0, count)
        case .zero: windows = FrameSearch.windows(histograms.1, count)
        case .centred: windows = FrameSearch.windows(histograms.2, count)
        }
    }

    /// The reference of a window of so many bits.
    func reference(_ width: Int) -> Int64 {
        switch reference {
        case .least: least
        case .zero: 0
        case .centred: width == 0 ? typical : typical &- (1 &<< Int64(width - 1))
        }
    }

    private mutating func consider(_ kind: Reference, _ histogram: WidthHistogram, _ count: Int) {
        var exceptions = Int(histogram.counts[65])
        let patch = Double(BitPacking.positionWidth(count) + min(64, histogram.patchWidth))
        for width in stride(from: 64, through: 0, by: -1) {
            let cost = Double(count * width) + (exceptions == 0 ? 0 : 28 + Double(exceptions) * patch)
            if cost < best.cost {
                reference = kind
                best.width = width
                best.reference = reference(width)
                best.cost = cost
            }
            exceptions += Int(histogram.counts[width])
        }
        // The width byte, and the reference.
        if reference == kind { best.cost += Double(8 + 8 * Varint.size(Varint.zigzag(best.reference))) }
    }

    private static func windows(_ histogram: WidthHistogram, _ count: Int) -> [Int] {
        var windows: [Int] = []
        var exceptions = 0
        var width = 65
        var limits = [0, count / 128, count / 32]
        while width > 0, let limit = limits.first {
            let more = exceptions + Int(histogram.counts[width])
            if more > limit {
                limits.removeFirst()
                if windows.last != width, width <= 64 { windows.append(width) }
            } else {
                exceptions = more
                width -= 1
            }
        }
        return windows
    }

    /// The middle one of seven numbers spread over the page.
    private static func typical(_ numbers: UnsafePointer<Int64>, _ count: Int) -> Int64 {
        var seven = InlineArray<7, Int64>(repeating: 0)
        for index in 0..<7 {
            let number = numbers[(2 * index + 1) * count / 14]
            var place = index
            while place > 0, seven[place - 1] > number {
                seven[place] = seven[place - 1]
                place -= 1
            }
            seven[place] = number
        }
        return seven[3]
    }
}
