package import SeriesModel

/// A sample of either kind, compared as a store promises it: floats by their bits, histograms by what they hold without
/// empty buckets, and of the hint only whether it is a gauge.
package struct MixedSample: Equatable, CustomStringConvertible {
    package var timestamp: Timestamp
    package var bits: UInt64
    package var histogram: NativeHistogram?

    package init(_ timestamp: Timestamp, _ value: Double) {
        self.timestamp = timestamp
        bits = value.bitPattern
    }

    /// A stale histogram is a stale marker.
    package init(_ timestamp: Timestamp, _ histogram: NativeHistogram) {
        self.timestamp = timestamp
        bits = histogram.isStale ? StaleMarker.bits : 0
        if !histogram.isStale {
            self.histogram = histogram
            self.histogram?.compact()
        }
    }

    package var isGauge: Bool { histogram?.counterResetHint == .gauge }

    package static func == (a: MixedSample, b: MixedSample) -> Bool {
        a.timestamp == b.timestamp && a.bits == b.bits && a.histogram == b.histogram && a.isGauge == b.isGauge
    }

    package var description: String { "\(histogram?.description ?? "\(Double(bitPattern: bits))")@\(timestamp)" }
}

extension SampleBuffer {
    /// Both columns in order of time.
    package var mixed: [MixedSample] {
        let floats = zip(timestamps, values).map { MixedSample($0, $1) }
        let others = zip(histogramTimestamps, histograms).map { MixedSample($0, $1) }
        return (floats + others).sorted { $0.timestamp < $1.timestamp }
    }
}

package enum Histograms {
    /// A counter of some observations in two buckets and below zero.
    package static func simple(_ count: Int, schema: Int32 = 0) -> NativeHistogram {
        NativeHistogram(
            schema: schema, zeroThreshold: 0.001, zeroCount: 1, count: Double(count * 3 + 1), sum: Double(count) / 8,
            positiveSpans: [.init(offset: 0, length: 1), .init(offset: 2, length: 1)],
            positiveBuckets: [Double(count), Double(count)], negativeSpans: [.init(offset: -2, length: 1)],
            negativeBuckets: [Double(count)])
    }

    package static let stale = NativeHistogram(sum: StaleMarker.value)

    /// What comes next in a series that may do anything.
    package static func next(after last: NativeHistogram?, using random: inout SeededRandom) -> NativeHistogram {
        var out = last ?? simple(Int.random(in: 0...5, using: &random))
        switch Int.random(in: 0..<24, using: &random) {
        case 0: return stale
        case 1: out = simple(Int.random(in: 0...3, using: &random), schema: Int32.random(in: -4...8, using: &random))
        case 2: out.counterResetHint = out.counterResetHint == .gauge ? .unknown : .gauge
        case 3:
            out = NativeHistogram(
                schema: NativeHistogram.customSchema, positiveSpans: [.init(offset: 1, length: 2)],
                positiveBuckets: [1, 2], customBounds: [0.5, Double.random(in: 1...2, using: &random), 7])
        case 4 where !out.usesCustomBounds:
            let wide = NativeHistogram(
                schema: out.schema, zeroThreshold: out.zeroThreshold,
                positiveSpans: [.init(offset: Int32.random(in: -9...9, using: &random), length: 3)],
                positiveBuckets: [1, 2, 3])
            _ = try? out.add(wide)
        default: break
        }
        let step = Int.random(in: 0..<8, using: &random) == 0 ? 0.5 : 1
        for index in out.positive.counts.indices where Bool.random(using: &random) {
            out.positive.counts[index] += step
        }
        if out.counterResetHint == .gauge, let first = out.positive.counts.first, first > 1 {
            out.positive.counts[0] = first - 1
        }
        if out.counterResetHint == .reset { out.counterResetHint = .unknown }
        if out.counterResetHint == .unknown, Int.random(in: 0..<20, using: &random) == 0 {
            out.counterResetHint = .reset
        }
        out.count = out.positiveBuckets.reduce(0, +) + out.negativeBuckets.reduce(0, +) + out.zeroCount
        out.sum = out.count * 1.5
        return out
    }
}
