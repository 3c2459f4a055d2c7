#if canImport(Glibc)
    import Glibc
#endif

/// Wall time and the CPU time of the whole process since it was made.
struct Meter {
    private let wall = ContinuousClock.now
    private let cpu = Meter.processSeconds()

    /// Prints both, for so many samples.
    func report(_ name: String, samples: Int) {
        let seconds = wall.duration(to: .now) / .seconds(1)
        let cpuSeconds = Meter.processSeconds() - cpu
        let millions = Double(samples) / 1e6
        let padding = String(repeating: " ", count: max(1, 40 - name.count))
        print(
            name + padding + "\(Meter.decimal(millions / seconds)) wall   \(Meter.decimal(cpuSeconds / millions)) CPU")
    }

    private static func processSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func decimal(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
