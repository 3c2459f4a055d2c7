import SeriesModel
import StorageAPI
import TestSupport

/// What a head should hold, with the rules spelled out once more, naively.
struct HeadModel {
    struct Series {
        var newest: MixedSample?
        var inOrder: [Timestamp: MixedSample] = [:]
        var late: [Timestamp: MixedSample] = [:]

        /// Of equal times the sample in order, then the first one that came.
        var samples: [MixedSample] {
            late.merging(inOrder) { $1 }.values.sorted { $0.timestamp < $1.timestamp }
        }
    }

    let blockRange: Int64
    let window: Int64
    private(set) var series: [LabelSet: Series] = [:]
    private(set) var newest: Timestamp?
    private(set) var start: Timestamp = .min

    init(blockRange: Int64, window: Int64) {
        self.blockRange = blockRange
        self.window = window
    }

    /// - Returns: how many are accepted.
    mutating func append(_ samples: [(LabelSet, MixedSample)]) -> Int {
        let before = newest
        var accepted = 0
        for (labels, sample) in samples where append(sample, to: labels, headNewest: before) { accepted += 1 }
        return accepted
    }

    private mutating func append(_ sample: MixedSample, to labels: LabelSet, headNewest: Timestamp?) -> Bool {
        let t = sample.timestamp
        var row = series[labels] ?? Series()
        let lower = headNewest.map { max(start, $0 - blockRange / 2) } ?? start
        if let last = row.newest, t == last.timestamp {
            // Whether it is a gauge does not count.
            return last.bits == sample.bits && last.histogram == sample.histogram
        }
        if t > row.newest?.timestamp ?? .min, t >= lower {
            row.inOrder[t] = sample
            row.newest = sample
            newest = max(newest ?? t, t)
        } else {
            guard window > 0, let headNewest, t >= headNewest - window else { return false }
            if row.late[t] == nil { row.late[t] = sample }
        }
        series[labels] = row
        return true
    }

    mutating func truncate(to end: Timestamp) {
        start = max(start, end)
        for (labels, row) in series {
            var row = row
            row.inOrder = row.inOrder.filter { $0.key >= end }
            row.late = row.late.filter { $0.key >= end }
            series[labels] = row.inOrder.isEmpty && row.late.isEmpty ? nil : row
        }
    }

    var contents: [LabelSet: [MixedSample]] { series.mapValues(\.samples) }
}

/// A history that may do anything: samples in order, late ones, floats and histograms, now and then a new series.
struct RandomHistory {
    var random: SeededRandom
    private(set) var time = HeadFixture.start
    private var last: [Int: NativeHistogram] = [:]
    let seriesCount: Int

    init(seed: UInt64, seriesCount: Int = 6) {
        random = SeededRandom(seed: seed)
        self.seriesCount = seriesCount
    }

    mutating func next() -> [(LabelSet, MixedSample)] {
        time += Int64(random.below(60)) * 1000
        return (0..<1 + random.below(8)).map { _ in
            let number = random.below(seriesCount)
            let labels = HeadFixture.labels(number)
            // A third is late, a few by far.
            let back = random.chance(35) ? Int64(random.below(random.chance(20) ? 12_000 : 1500)) * 1000 : 0
            let timestamp = time - back + Int64(random.below(3))
            // Some series are of floats, some of histograms, some of both.
            if number % 3 == 0 || number % 3 == 1 && random.chance(50) {
                return (labels, MixedSample(timestamp, random.chance(5) ? StaleMarker.value : Double(random.below(50))))
            }
            let histogram = Histograms.next(after: last[number], using: &random)
            if !histogram.isStale { last[number] = histogram }
            return (labels, MixedSample(timestamp, histogram))
        }
    }
}

extension SampleBatch {
    init(_ samples: [(LabelSet, MixedSample)]) {
        self.init()
        for (labels, sample) in samples {
            if let histogram = sample.histogram {
                append(labels, sample.timestamp, histogram)
            } else {
                append(labels, sample.timestamp, Double(bitPattern: sample.bits))
            }
        }
    }
}
