/// Numbers from a seed, the same on every machine: SplitMix64 (Steele, Lea, Flood 2014).
package struct SeededRandom {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// At least 0, below 1.
    package mutating func unit() -> Double { Double(next() &>> 11) * 0x1p-53 }

    /// A whole number around `mean`, seldom far from it: what a counter grows by between two scrapes.
    package mutating func count(around mean: Double) -> Double {
        (mean * (0.5 + unit()) + unit()).rounded(.down)
    }
}
