import ByteCoding
import CBitPacking

/// The frequencies of an entropy-coded page's tokens, in 512ths: the states of the coder.
///
/// A frequency is kept to three significant bits, but for that of the most frequent token, which takes the rest.
struct EntropyTable {
    static let states = 512
    static let tokensMax = 65
    var frequencies = InlineArray<65, UInt16>(repeating: 0)
    var alphabet = 0
    /// The token whose frequency is what the others leave.
    private var most = 0

    /// nil where there are too many tokens for so few states.
    init?(_ counts: InlineArray<65, Int32>, _ total: Int) {
        for token in 0..<EntropyTable.tokensMax where counts[token] > 0 {
            alphabet = token + 1
            if counts[token] > counts[most] { most = token }
        }
        var left = EntropyTable.states
        var carry = 0.0
        for token in 0..<alphabet {
            guard token != most, counts[token] > 0 else { continue }
            let share = Double(counts[token]) * Double(EntropyTable.states) / Double(total)
            let frequency = EntropyTable.nearest(share + carry)
            carry += share - Double(frequency)
            frequencies[token] = UInt16(frequency)
            left -= frequency
        }
        guard left > 0, alphabet > 0 else { return nil }
        frequencies[most] = UInt16(left)
    }

    private static func nearest(_ share: Double) -> Int {
        guard share > 1 else { return 1 }
        let whole = Int(share)
        let step = 1 << max(0, BitPacking.width(UInt64(whole)) - 3)
        let below = whole / step * step
        return share - Double(below) < Double(step) / 2 ? below : below + step
    }

    func write(into bytes: inout [UInt8]) {
        bytes.append(UInt8(alphabet))
        bytes.append(UInt8(most))
        var writer = LowBitWriter()
        for token in 0..<alphabet where token != most {
            let frequency = UInt64(frequencies[token])
            let size = BitPacking.width(frequency)
            writer.append(UInt64(size), 4, to: &bytes)
            let fraction = max(0, min(2, size - 1))
            let below = frequency &- (size > 0 ? 1 << UInt64(size - 1) : 0)
            writer.append(below >> UInt64(max(0, size - 3)), fraction, to: &bytes)
        }
        writer.finish(&bytes)
    }

    init(_ cursor: inout ByteCursor) throws(ByteError) {
        let start = cursor.position
        alphabet = Int(try cursor.byte())
        most = Int(try cursor.byte())
        guard alphabet > 0, alphabet <= EntropyTable.tokensMax, most < alphabet else {
            throw .outOfBounds(offset: start, what: "alphabet")
        }
        var left = EntropyTable.states
        var word: UInt64 = 0
        var filled = 0
        func take(_ count: Int, _ cursor: inout ByteCursor) throws(ByteError) -> Int {
            while filled < count {
                word |= UInt64(try cursor.byte()) << UInt64(filled)
                filled += 8
            }
            let value = word & ((1 << UInt64(count)) - 1)
            word >>= UInt64(count)
            filled -= count
            return Int(value)
        }
        for token in 0..<alphabet where token != most {
            let size = try take(4, &cursor)
            guard size > 0 else { continue }
            guard size <= 9 else { throw .outOfBounds(offset: cursor.position, what: "frequency") }
            let fraction = try take(min(2, size - 1), &cursor)
            let frequency = 1 << (size - 1) | fraction << max(0, size - 3)
            frequencies[token] = UInt16(frequency)
            left -= frequency
        }
        guard left > 0 else { throw .outOfBounds(offset: start, what: "frequencies") }
        frequencies[most] = UInt16(left)
    }
}
