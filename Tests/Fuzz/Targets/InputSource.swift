import TestSupport

/// The inputs of a target, without end: random bytes, soup of words, and mutations of inputs that mean something.
package struct InputSource {
    /// Bytes of an input; a piece repeated many times may reach it.
    package static let bytesMax = 16_384

    private let target: FuzzTarget
    private let seeds: [[UInt8]]
    private let words: [[UInt8]]
    private var random: SeededRandom

    package init(_ target: FuzzTarget, seed: UInt64) {
        self.target = target
        seeds = target.seeds()
        words = target.words.map { Array($0.utf8) }
        random = SeededRandom(seed: seed)
    }

    package mutating func next() -> [UInt8] {
        let input: [UInt8]
        switch random.below(20) {
        case 0: input = (0..<random.below(64)).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
        case 1, 2: input = soup()
        case 3..<8: input = target.generate(&random) ?? mutated(seed())
        case 8..<11: input = mutated(target.generate(&random) ?? seed())
        default: input = mutated(seed())
        }
        return Array(input.prefix(Self.bytesMax))
    }

    private mutating func seed() -> [UInt8] { seeds.isEmpty ? soup() : random.pick(seeds) }

    private mutating func soup() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0...random.below(30) {
            bytes += random.pick(words)
            if random.chance(50) { bytes.append(UInt8(ascii: " ")) }
        }
        return bytes
    }

    private mutating func mutated(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...random.below(5) {
            guard !bytes.isEmpty else { return soup() }
            mutate(&bytes)
        }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = random.below(bytes.count)
        let end = min(bytes.count, place + 1 + random.below(12))
        switch random.below(10) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next() >> 32)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4, 5: bytes.insert(contentsOf: random.pick(words), at: place)
        case 6: bytes.replaceSubrange(place..<end, with: random.pick(words))
        case 7:
            // The beginning of this one, the end of another.
            let other = seed()
            bytes = Array(bytes[..<place]) + other[random.below(other.count + 1)...]
        case 8: swapNumber(&bytes)
        default:
            // Deep or long: the same piece again and again.
            guard random.chance(20) else { return bytes.append(contentsOf: random.pick(words)) }
            let piece = Array(bytes[place..<end])
            let count = min(1 + random.below(2000), (Self.bytesMax - min(bytes.count, Self.bytesMax)) / piece.count)
            for _ in 0..<max(0, count) { bytes.insert(contentsOf: piece, at: place) }
        }
    }

    /// Puts a number from the ends of a type's range where another stands.
    private mutating func swapNumber(_ bytes: inout [UInt8]) {
        let isDigit = { (byte: UInt8) in byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
        let starts = bytes.indices.filter { isDigit(bytes[$0]) && ($0 == 0 || !isDigit(bytes[$0 - 1])) }
        guard !starts.isEmpty else { return }
        let start = random.pick(starts)
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Array(random.pick(Self.numbers).utf8))
    }

    private static let numbers = [
        "0", "1", "255", "256", "65536", "2147483647", "2147483648", "4294967296", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999", "1e308",
        "1e400",
        "1e-400", "0x7fffffffffffffff", "0.000001", "9223372036", "9223372037", "253402300800",
    ]
}
