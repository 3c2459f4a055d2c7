import SeriesModel
import TestSupport

/// Random histograms of one series: mostly a counter that goes on, with everything that may happen to one.
enum HistogramSource {
    static func rows(
        count: Int, using random: inout SeededRandom
    ) -> [(timestamp: Timestamp, histogram: NativeHistogram)] {
        var rows: [(Timestamp, NativeHistogram)] = []
        var timestamp: Timestamp = 1_700_000_000_000
        var current = histogram(schema: 0, using: &random)
        var isWhole = true
        for _ in 0..<count {
            timestamp += Int64.random(in: 1...30_000, using: &random)
            switch Int.random(in: 0..<40, using: &random) {
            case 0: current = histogram(schema: Int32.random(in: -4...8, using: &random), using: &random)
            case 1: current = custom(using: &random)
            case 2: current.zeroThreshold = [0, 0x1p-128, 0.001, 1].randomElement(using: &random) ?? 0
            case 3: current.counterResetHint = current.counterResetHint == .gauge ? .unknown : .gauge
            case 4: isWhole.toggle()
            case 5:
                rows.append((timestamp, NativeHistogram(sum: StaleMarker.value)))
                continue
            default: break
            }
            if current.usesCustomBounds { current.zeroThreshold = 0 }
            advance(&current, isWhole: isWhole, using: &random)
            var next = current
            if Int.random(in: 0..<30, using: &random) == 0, next.counterResetHint != .gauge {
                next.counterResetHint = .reset
            }
            rows.append((timestamp, next))
        }
        return rows
    }

    /// A histogram with some buckets on both sides.
    static func histogram(schema: Int32, using random: inout SeededRandom) -> NativeHistogram {
        var out = NativeHistogram(schema: schema, zeroThreshold: 0x1p-128)
        out.positive = side(Int.random(in: 0...8, using: &random), from: -5, using: &random)
        out.negative = side(Int.random(in: 0...3, using: &random), from: -5, using: &random)
        settle(&out)
        return out
    }

    private static func custom(using random: inout SeededRandom) -> NativeHistogram {
        let bounds = [0.1, 0.5, 1, 2.5, 1e6].prefix(Int.random(in: 1...5, using: &random))
        var out = NativeHistogram(schema: NativeHistogram.customSchema, customBounds: Array(bounds))
        out.positive = HistogramSide(
            spans: [.init(offset: 0, length: UInt32(bounds.count + 1))],
            counts: (0...bounds.count).map { _ in Double(Int.random(in: 0...5, using: &random)) })
        settle(&out)
        return out
    }

    private static func side(_ buckets: Int, from: Int32, using random: inout SeededRandom) -> HistogramSide {
        var side = HistogramSide()
        while side.counts.count < buckets {
            let length = Int.random(in: 1...3, using: &random)
            let offset =
                side.spans.isEmpty
                ? from + Int32.random(in: 0...5, using: &random) : Int32.random(in: 1...4, using: &random)
            side.spans.append(.init(offset: offset, length: UInt32(length)))
            for _ in 0..<length { side.counts.append(Double(Int.random(in: 0...9, using: &random))) }
        }
        return side
    }

    /// Observations come in, now and then into buckets that were not there; a gauge may fall as well, and a counter may
    /// start again.
    private static func advance(_ histogram: inout NativeHistogram, isWhole: Bool, using random: inout SeededRandom) {
        let isGauge = histogram.counterResetHint == .gauge
        if Int.random(in: 0..<25, using: &random) == 0 || isGauge {
            let fresh =
                histogram.usesCustomBounds
                ? histogram : HistogramSource.histogram(schema: histogram.schema, using: &random)
            histogram.positive = fresh.positive
            histogram.negative = fresh.negative
        } else if Int.random(in: 0..<4, using: &random) == 0, !histogram.usesCustomBounds {
            var more = HistogramSource.histogram(schema: histogram.schema, using: &random)
            more.zeroThreshold = histogram.zeroThreshold
            _ = try? histogram.add(more)
        }
        for index in histogram.positive.counts.indices {
            histogram.positive.counts[index] += Double(Int.random(in: 0...3, using: &random))
            if !isWhole { histogram.positive.counts[index] += 0.25 }
        }
        if isWhole {
            histogram.positive.counts = histogram.positive.counts.map { $0.rounded(.up) }
        }
        if !histogram.usesCustomBounds, Bool.random(using: &random) { histogram.zeroCount += 1 }
        settle(&histogram)
    }

    private static func settle(_ histogram: inout NativeHistogram) {
        histogram.count =
            histogram.positiveBuckets.reduce(0, +) + histogram.negativeBuckets.reduce(0, +) + histogram.zeroCount
        histogram.sum = histogram.count * 1.37
    }
}
