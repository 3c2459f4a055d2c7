import SeriesModel
import TestSupport

/// The histograms of one series: counts grow until the process restarts; now and then the shape changes.
struct RandomHistograms {
    private let usesCustomBounds: Bool
    private var schema: Int32 = 0
    private var threshold = 0.0
    private var offset: Int32 = 0
    private var bounds: [Double] = [0.1, 1, 10]
    private var positive: [Double] = []
    private var negative: [Double] = []
    private var zero = 0.0
    private var sum = 0.0

    init(usesCustomBounds: Bool) {
        self.usesCustomBounds = usesCustomBounds
        restart(width: 4)
    }

    private mutating func restart(width: Int) {
        positive = Array(repeating: 0, count: usesCustomBounds ? bounds.count + 1 : width)
        negative = Array(repeating: 0, count: usesCustomBounds ? 0 : 2)
        (zero, sum) = (0, 0)
    }

    mutating func next(_ random: inout SeededRandom) -> NativeHistogram {
        switch random.below(25) {
        case 0: restart(width: 3 + random.below(3))
        case 1:
            schema = Int32(random.below(4)) - 1
            threshold = random.pick([0, 0.001, 0.5])
            offset = Int32(random.below(7)) - 3
            bounds = random.pick([[0.1, 1, 10], [1, 2], [0.1, 0.5, 1, 10]])
            restart(width: 4)
        default: break
        }
        for index in positive.indices { positive[index] += Double(random.below(4)) }
        for index in negative.indices where random.chance(20) { negative[index] += 1 }
        if !usesCustomBounds, random.chance(30) { zero += 1 }
        sum += Double(random.below(100)) / 8
        let count = zero + positive.reduce(0, +) + negative.reduce(0, +)
        func spans(_ counts: [Double]) -> [NativeHistogram.Span] {
            counts.isEmpty ? [] : [.init(offset: usesCustomBounds ? 0 : offset, length: UInt32(counts.count))]
        }
        return NativeHistogram(
            counterResetHint: random.chance(4) ? .gauge : .unknown,
            schema: usesCustomBounds ? NativeHistogram.customSchema : schema,
            zeroThreshold: usesCustomBounds ? 0 : threshold, zeroCount: zero, count: count, sum: sum,
            positiveSpans: spans(positive), positiveBuckets: positive, negativeSpans: spans(negative),
            negativeBuckets: negative, customBounds: usesCustomBounds ? bounds : [])
    }
}
