#if canImport(Glibc)
    import Glibc
#endif

/// Wall time and the CPU time of the whole process since it was made.
package struct Meter {
    private let wall = ContinuousClock.now
    private let cpu = Meter.processSeconds()

    /// Prints both, for so many samples.
    package func report(_ name: String, samples: Int) {
        let seconds = wall.duration(to: .now) / .seconds(1)
        let cpuSeconds = Meter.processSeconds() - cpu
        let millions = Double(samples) / 1e6
        let padding = String(repeating: " ", count: max(1, 40 - name.count))
        print(
            name + padding + "\(Meter.decimal(millions / seconds)) wall   \(Meter.decimal(cpuSeconds / millions)) CPU")
    }

    package init() {}

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

/// Memory of this process as the kernel counts it. Bytes; 0 where it cannot be told.
package struct ProcessMemory {
    package var anonymous = 0
    package var file = 0
    package var peak = 0

    package init() {
        guard let file = fopen("/proc/self/status", "r") else { return }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            func bytes(_ name: String) -> Int? {
                guard text.hasPrefix(name) else { return nil }
                return text.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) }
                    .map { $0 * 1024 }
            }
            if let value = bytes("RssAnon:") { anonymous = value }
            if let value = bytes("RssFile:") { self.file = value }
            if let value = bytes("VmHWM:") { peak = value }
        }
    }
}
