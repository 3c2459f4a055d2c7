import SeriesModel

/// Collects samples by family and writes them in text format 0.0.4, as a backend's client library would.
struct MetricText {
    private var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",") + "}"
        }
        text += " " + NumberText.apiValue(value) + "\n"
    }

    /// One family of one or few series.
    mutating func single(_ name: String, _ type: String, _ help: String, _ value: Double) {
        family(name, type, help)
        sample(name, [], value)
    }

    func finish() -> String { text }
}

/// A classic histogram with cumulative buckets, as client libraries keep them.
struct ClassicHistogram {
    let bounds: [Double]
    private var counts: [Double]
    private var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = [Double](repeating: 0, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    var count: Double { counts.reduce(0, +) }

    func write(_ name: String, _ labels: [(String, String)], to text: inout MetricText) {
        var total = 0.0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? NumberText.fixed(bounds[index]) : "+Inf"
            text.sample(name + "_bucket", labels + [("le", bound)], total)
        }
        text.sample(name + "_count", labels, total)
        text.sample(name + "_sum", labels, sum)
    }
}

/// A small deterministic generator (SplitMix64): the demo looks alike each time it runs.
struct DemoRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    /// In 0..<1.
    mutating func unit() -> Double { Double(next() &>> 11) * 0x1p-53 }

    /// How many events happen in one tick when `mean` are expected (Poisson, by Knuth's product).
    mutating func events(mean: Double) -> Int {
        let limit = mean < 500 ? -mean : -500
        var logarithm = 0.0
        var count = -1
        repeat {
            count += 1
            logarithm += DemoRandom.logarithm(max(unit(), 1e-300))
        } while logarithm > limit
        return count
    }

    /// A latency around `median` seconds with a long tail.
    mutating func latency(median: Double) -> Double {
        let spread = (unit() + unit() + unit() - 1.5) * 1.6
        return median * DemoRandom.exponential(spread)
    }
}
