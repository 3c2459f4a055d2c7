#if canImport(Glibc)
    import Glibc
#endif

enum Power {
    static func raise(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}
