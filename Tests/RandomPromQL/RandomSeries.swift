package import PromQLTestKit
package import SeriesModel
import TestSupport

/// A series with samples such as meet a server: counters that restart, gaps, stale markers, infinities, NaNs with a
/// payload, negative zeros, and native histograms.
package struct RandomSeries: Sendable {
    package var labels: LabelSet
    package var samples: [StoredSample]

    package init(labels: LabelSet, samples: [StoredSample]) {
        self.labels = labels
        self.samples = samples
    }

    package struct Options: Sendable {
        package var start: Timestamp
        /// ms
        package var span: Int64 = 1_800_000
        /// About the distance between samples, ms.
        package var interval: Int64 = 30_000
        package var hasHistograms = true

        package init(start: Timestamp) { self.start = start }
    }

    /// A few dozen series, those that `ExpressionGenerator` asks for.
    package static func all(_ options: Options, seed: UInt64) -> [RandomSeries] {
        var source = Source(options: options, random: SeededRandom(seed: seed))
        var all: [RandomSeries] = []
        for a in 1...3 {
            for b in 1...3 where a + b < 6 {
                let labels = ["a": "\(a)", "b": "\(b)", "job": a == 1 ? "api" : "web", "instance": "i\(b)"]
                all.append(source.series("m", labels) { $0.gauge() })
                if a != 2 { all.append(source.series("n", labels) { $0.gauge() }) }
                all.append(source.series("c_total", labels) { $0.counter() })
                if b == 1 { all.append(source.series("big", labels) { $0.extreme() }) }
                if options.hasHistograms, b < 3 {
                    all.append(source.histogramSeries("h", labels, usesCustomBounds: false, floatsPercent: 0))
                }
            }
            all += source.buckets(["a": "\(a)"])
            if options.hasHistograms {
                all.append(source.histogramSeries("custom", ["a": "\(a)"], usesCustomBounds: true, floatsPercent: 0))
                all.append(source.histogramSeries("mixed", ["a": "\(a)"], usesCustomBounds: a == 2, floatsPercent: 30))
            }
            let target = ["job": a == 1 ? "api" : "web", "instance": "i\(a)", "version": "\(a)"]
            all.append(source.series("target_info", target) { _ in 1 })
        }
        all.append(source.series("utf8.metric", ["a": "1", "label with space": "x y"]) { $0.gauge() })
        all.append(source.series("utf8.metric", ["a": "1", "label with space": "\u{e9}\u{1F600}"]) { $0.gauge() })
        return all
    }
}

/// What the values are drawn from; the state is that of one series.
struct Source {
    let options: RandomSeries.Options
    var random: SeededRandom
    var value = 0.0
    private var histograms = RandomHistograms(usesCustomBounds: false)

    init(options: RandomSeries.Options, random: SeededRandom) {
        self.options = options
        self.random = random
    }

    mutating func series(
        _ name: String, _ labels: [String: String], _ next: (inout Source) -> Double
    ) -> RandomSeries {
        value = 0
        return RandomSeries(
            labels: Self.labelSet(name, labels), samples: times().map { StoredSample($0, .float(next(&self))) })
    }

    mutating func histogramSeries(
        _ name: String, _ labels: [String: String], usesCustomBounds: Bool, floatsPercent: Int
    ) -> RandomSeries {
        value = 0
        histograms = RandomHistograms(usesCustomBounds: usesCustomBounds)
        let samples = times().map { time -> StoredSample in
            if random.chance(floatsPercent) { return StoredSample(time, .float(gauge())) }
            if random.chance(3) { return StoredSample(time, .float(StaleMarker.value)) }
            return StoredSample(time, .histogram(histograms.next(&random)))
        }
        return RandomSeries(labels: Self.labelSet(name, labels), samples: samples)
    }

    /// A classic histogram: counters that do not fall from bucket to bucket, most of the time.
    mutating func buckets(_ labels: [String: String]) -> [RandomSeries] {
        let times = times()
        var observed = [Double](repeating: 0, count: 4)
        var columns: [[StoredSample]] = observed.map { _ in [] }
        for time in times {
            if random.chance(3) { observed = observed.map { _ in 0 } }
            var total = 0.0
            for index in observed.indices {
                observed[index] += Double(random.below(4))
                total += observed[index]
                if random.chance(97) { columns[index].append(StoredSample(time, .float(total))) }
            }
        }
        return zip(["0.1", "1", "10", "+Inf"], columns).map { bound, samples in
            RandomSeries(
                labels: Self.labelSet("latency_bucket", labels.merging(["le": bound]) { $1 }), samples: samples)
        }
    }

    // MARK: Values

    mutating func gauge() -> Double {
        switch random.below(60) {
        case 0: return StaleMarker.value
        case 1: return Double(bitPattern: 0x7FF8_0000_0000_0000 | UInt64(random.below(1 << 20)))
        case 2: return random.pick([.infinity, -.infinity])
        case 3: return -0.0
        case 4: return 0
        case 5: value = -value
        default: value += Double(random.below(2000) - 1000) / 80
        }
        return value
    }

    mutating func counter() -> Double {
        switch random.below(40) {
        case 0: return StaleMarker.value
        case 1: value = 0
        case 2: break
        default: value += Double(random.below(1000)) / 7
        }
        return value
    }

    /// At the ends of what a double holds.
    mutating func extreme() -> Double {
        random.pick([
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e300, 1e-300, 1, -1, 0,
            9_007_199_254_740_994, .infinity, .nan, 1e18, -1e18,
        ])
    }

    // MARK: Times and labels

    private mutating func times() -> [Timestamp] {
        var times: [Timestamp] = []
        let distance = options.interval / 2 + Int64(random.below(Int(options.interval)))
        let hasJitter = random.chance(50)
        var time = options.start + Int64(random.below(Int(distance)))
        while time < options.start + options.span {
            times.append(time)
            switch random.below(50) {
            case 0: time += distance * Int64(2 + random.below(20))
            case 1, 2: time += distance * 2
            default: time += hasJitter ? max(1, distance + Int64(random.below(Int(distance))) - distance / 2) : distance
            }
        }
        return times
    }

    private static func labelSet(_ name: String, _ labels: [String: String]) -> LabelSet {
        LabelSet([Label(Label.metricName, name)] + labels.map { Label($0.key, $0.value) })
    }
}
