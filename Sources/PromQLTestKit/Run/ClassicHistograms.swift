import SeriesModel

/// Builds native histograms with custom buckets from the series of classic histograms in one load.
struct ClassicHistograms {
    private enum Part {
        case bucket(Double)
        case count, sum
    }

    private var groups: [LabelSet: [Timestamp: ClassicHistogram]] = [:]

    /// Takes the samples of a series where it is part of a classic histogram. Histogram samples are ignored.
    mutating func add(_ labels: LabelSet, _ samples: [StoredSample]) throws(MemoryStore.AppendError) {
        guard let (part, base) = try ClassicHistograms.part(labels) else { return }
        for sample in samples {
            guard case .float(let value) = sample.value else { continue }
            var histogram = groups[base, default: [:]][sample.timestamp] ?? ClassicHistogram()
            switch part {
            case .bucket(let bound): histogram.setBucket(bound, value)
            case .count: histogram.setCount(value)
            case .sum: histogram.setSum(value)
            }
            groups[base, default: [:]][sample.timestamp] = histogram
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
        for (labels, histograms) in groups.sorted(by: { $0.key < $1.key }) {
            var samples: [StoredSample] = []
            for (timestamp, classic) in histograms.sorted(by: { $0.key < $1.key }) {
                guard let histogram = classic.converted() else {
                    throw MemoryStore.AppendError(
                        description: "\(labels.metricNotation): inconsistent classic histogram at \(timestamp)")
                }
                samples.append(StoredSample(timestamp, .histogram(histogram)))
            }
            all.append((labels, samples))
        }
        return all
    }
}
