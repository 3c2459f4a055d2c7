private import SeriesModel
import Synchronization

/// A number that only grows. Fractions are kept: the value is a double behind an atomic word.
package final class Counter: AnyMetric {
    private let bits = Atomic<UInt64>(0)

    init() {}

    package func increment(by amount: Double = 1) { addAtomically(amount, to: bits) }

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    /// For counters that mirror a total kept elsewhere (CPU seconds of the process).
    package func mirror(_ total: Double) { bits.store(total.bitPattern, ordering: .relaxed) }

    package func write(name: String, labels: String, to text: inout String) {
        writeSample(name, labels, value, to: &text)
    }
}

/// A number that goes both ways.
package final class Gauge: AnyMetric {
    private let bits = Atomic<UInt64>(0)

    init() {}

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package func increment(by amount: Double = 1) { addAtomically(amount, to: bits) }
    package func decrement(by amount: Double = 1) { addAtomically(-amount, to: bits) }

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func write(name: String, labels: String, to text: inout String) {
        writeSample(name, labels, value, to: &text)
    }
}

/// Observations counted into cumulative buckets.
package final class Histogram: AnyMetric {
    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(buckets: [Double]) {
        bounds = buckets
        state = Mutex(State(counts: [UInt64](repeating: 0, count: buckets.count + 1)))
    }

    package func observe(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[index] &+= 1
            $0.sum += value
        }
    }

    package func write(name: String, labels: String, to text: inout String) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total &+= count
            let bound = index < bounds.count ? NumberText.apiValue(bounds[index]) : "+Inf"
            writeSample(name + "_bucket", labels, Double(total), extra: ("le", bound), to: &text)
        }
        writeSample(name + "_sum", labels, sum, to: &text)
        writeSample(name + "_count", labels, Double(total), to: &text)
    }
}

/// Sum and count, and quantiles over the newest observations.
package final class Summary: AnyMetric {
    private struct State {
        var newest: [Double] = []
        var next = 0
        var sum = 0.0
        var count: UInt64 = 0
    }

    private static let keptMax = 512
    private let quantiles: [Double]
    private let state = Mutex(State())

    init(quantiles: [Double]) { self.quantiles = quantiles }

    package func observe(_ value: Double) {
        let keeps = !quantiles.isEmpty
        state.withLock { state in
            state.sum += value
            state.count &+= 1
            guard keeps else { return }
            if state.newest.count < Summary.keptMax {
                state.newest.append(value)
            } else {
                state.newest[state.next] = value
            }
            state.next = (state.next + 1) % Summary.keptMax
        }
    }

    package func write(name: String, labels: String, to text: inout String) {
        let (newest, sum, count) = state.withLock { ($0.newest.sorted(), $0.sum, $0.count) }
        for quantile in quantiles {
            let rank = min(newest.count - 1, Int((quantile * Double(newest.count)).rounded(.down)))
            let value = newest.isEmpty ? Double.nan : newest[max(0, rank)]
            writeSample(name, labels, value, extra: ("quantile", NumberText.apiValue(quantile)), to: &text)
        }
        writeSample(name + "_sum", labels, sum, to: &text)
        writeSample(name + "_count", labels, Double(count), to: &text)
    }
}

private func addAtomically(_ amount: Double, to bits: borrowing Atomic<UInt64>) {
    var current = bits.load(ordering: .relaxed)
    while true {
        let next = (Double(bitPattern: current) + amount).bitPattern
        let (exchanged, original) = bits.weakCompareExchange(
            expected: current, desired: next, ordering: .relaxed)
        if exchanged { return }
        current = original
    }
}
