import SeriesModel

/// Builds native histograms with custom buckets from the series of classic histograms in one load.
struct ClassicHistograms {
    /// What was found of one histogram at one time.
    private struct Snapshot {
        var buckets: [(bound: Double, count: Double)] = []
        var count: Double?
        var sum = 0.0
    }

    private enum Part {
        case bucket(Double)
        case count, sum
    }

    private var groups: [LabelSet: [Timestamp: Snapshot]] = [:]

    /// Takes the samples of a series where it is part of a classic histogram. Histogram samples are ignored.
    mutating func add(_ labels: LabelSet, _ samples: [StoredSample]) throws(MemoryStore.AppendError) {
        guard let (part, base) = try ClassicHistograms.part(labels) else { return }
        for sample in samples {
            guard case .float(let value) = sample.value else { continue }
            var snapshot = groups[base, default: [:]][sample.timestamp] ?? Snapshot()
            switch part {
            case .bucket(let bound): snapshot.buckets.append((bound, value))
            case .count: snapshot.count = value
            case .sum: snapshot.sum = value
            }
            groups[base, default: [:]][sample.timestamp] = snapshot
        }
    }

    private static func part(_ labels: LabelSet) throws(MemoryStore.AppendError) -> (Part, base: LabelSet)? {
        guard let name = labels.metricName else { return nil }
        let base = labels.dropping([Label.bucketBound])
        if name.hasSuffix("_bucket") {
            guard let text = labels[Label.bucketBound] else {
                throw MemoryStore.AppendError(description: "\(labels.metricNotation): a bucket series without le")
            }
            guard let bound = NumberText.parse(text), !bound.isNaN else { return nil }
            return (.bucket(bound), base.setting(Label.metricName, String(name.dropLast("_bucket".count))))
        }
        if name.hasSuffix("_count") {
            return (.count, base.setting(Label.metricName, String(name.dropLast("_count".count))))
        }
        if name.hasSuffix("_sum") {
            return (.sum, base.setting(Label.metricName, String(name.dropLast("_sum".count))))
        }
        return nil
    }

    /// The native histograms, of each series in time order.
    func converted() throws(MemoryStore.AppendError) -> [(LabelSet, [StoredSample])] {
        var all: [(LabelSet, [StoredSample])] = []
        for (labels, snapshots) in groups.sorted(by: { $0.key < $1.key }) {
            var samples: [StoredSample] = []
            for (timestamp, snapshot) in snapshots.sorted(by: { $0.key < $1.key }) {
                guard let histogram = ClassicHistograms.histogram(snapshot) else {
                    throw MemoryStore.AppendError(
                        description: "\(labels.metricNotation): inconsistent classic histogram at \(timestamp)")
                }
                samples.append(StoredSample(timestamp, .histogram(histogram)))
            }
            all.append((labels, samples))
        }
        return all
    }

    /// Nil where counts are negative, fall, or do not agree.
    private static func histogram(_ snapshot: Snapshot) -> NativeHistogram? {
        var buckets: [(bound: Double, count: Double)] = []
        // A stable order keeps the first of equal bounds.
        for (_, bucket) in snapshot.buckets.enumerated().sorted(by: { ($0.1.bound, $0.0) < ($1.1.bound, $1.0) })
        where buckets.last?.bound != bucket.bound { buckets.append(bucket) }
        let count = snapshot.count ?? buckets.last?.count ?? 0
        if buckets.last?.bound != .infinity { buckets.append((.infinity, count)) }
        guard buckets.last?.count == count || (count.isNaN && buckets.last?.count.isNaN ?? false) else { return nil }
        var counts: [Double] = []
        var before = 0.0
        for bucket in buckets {
            if bucket.count < before { return nil }
            counts.append(bucket.count - before)
            before = bucket.count
        }
        let span = NativeHistogram.Span(offset: 0, length: UInt32(clamping: counts.count))
        return NativeHistogram(
            schema: NativeHistogram.customSchema, count: count, sum: snapshot.sum, positiveSpans: [span],
            positiveBuckets: counts, customBounds: buckets.dropLast().map(\.bound))
    }
}
