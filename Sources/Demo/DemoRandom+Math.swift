#if canImport(Glibc)
    import Glibc
#endif

extension DemoRandom {
    static func logarithm(_ value: Double) -> Double { log(value) }
    static func exponential(_ value: Double) -> Double { exp(value) }
    /// One turn each `period` seconds.
    static func wave(_ seconds: Double, period: Double) -> Double { sin(2 * .pi * seconds / period) }
}
