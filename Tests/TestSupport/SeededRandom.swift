/// A generator that gives the same numbers for the same seed, everywhere (SplitMix64). A failing test prints its seed.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    // MARK: Choices

    /// True in so many of a hundred cases.
    package mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// - Precondition: `count` > 0
    package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    /// - Precondition: there is a value.
    package mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

    /// Each value with its own toss of a coin.
    package mutating func some<Value>(_ values: [Value], percent: Int = 50) -> [Value] {
        values.filter { _ in chance(percent) }
    }
}
