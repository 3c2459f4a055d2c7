package import SeriesModel

/// Names a block: a ULID, 48 bits of milliseconds and 80 random bits, so that names sort by the time they were given.
/// In text it is 26 characters of Crockford's base 32.
package struct BlockIdentifier: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter timestamp: ms since the epoch; clamped to what 48 bits hold.
    package init(timestamp: Timestamp, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(min(max(timestamp, 0), (1 << 48) - 1))
        self.init(high: milliseconds << 16 | random.next() & 0xFFFF, low: random.next())
    }

    package init(timestamp: Timestamp) {
        var random = SystemRandomNumberGenerator()
        self.init(timestamp: timestamp, using: &random)
    }

    /// nil unless the text is exactly what `description` writes.
    package init?(_ text: String) {
        guard text.utf8.count == 26 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, character) in text.utf8.enumerated() {
            guard let digit = BlockIdentifier.alphabet.firstIndex(of: character) else { return nil }
            // 26 characters hold 130 bits: the first one counts for three.
            if index == 0, digit > 7 { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        self.init(high: high, low: low)
    }

    /// ms since the epoch.
    package var timestamp: Timestamp { Timestamp(high >> 16) }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}

extension BlockIdentifier: CustomStringConvertible {
    package var description: String {
        var characters = [UInt8](repeating: 0, count: 26)
        var high = high
        var low = low
        for index in characters.indices.reversed() {
            characters[index] = BlockIdentifier.alphabet[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
        return String(decoding: characters, as: UTF8.self)
    }
}

extension BlockIdentifier: Comparable {
    package static func < (a: BlockIdentifier, b: BlockIdentifier) -> Bool { (a.high, a.low) < (b.high, b.low) }
}
