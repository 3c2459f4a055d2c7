import SeriesModel
import StorageAPI

/// The newest samples of the series that another server asks for.
struct Federation {
    enum Value {
        case float(Double)
        case histogram(NativeHistogram)
    }

    struct Sample {
        /// Without the metric's name; those of the server among them, and `instance` in any case.
        var labels: [Label]
        var value: Value
        var timestamp: Timestamp
    }

    /// Samples of one name and kind.
    struct Family {
        var name: String
        var samples: [Sample]
    }

    private struct Found {
        let name: String
        let labels: LabelSet
        let value: Value
        let timestamp: Timestamp

        var isHistogram: Bool { if case .histogram = value { true } else { false } }
    }

    /// In the order of names, and of labels within one.
    private(set) var families: [Family] = []
    /// Series that have no name, which no exposition can show.
    private(set) var namelessCount = 0

    /// - Parameters:
    ///   - externalLabels: set where a series has no such label.
    ///   - range: in which the newest sample is looked for.
    init(
        _ storage: any Queryable, matching matchers: [[LabelMatcher]], in range: TimeRange, externalLabels: LabelSet,
        cancellation: Cancellation
    ) throws {
        var hints = SelectHints()
        hints.wantsNewestOnly = true
        let sets = try storage.select(
            matchers.map { Selection(matchers: $0, range: range, hints: hints) }, cancellation: cancellation)
        var found: [Found] = []
        var seen: Set<LabelSet> = []
        var buffer = SampleBuffer()
        for set in sets {
            for index in 0..<set.count {
                if cancellation.isCancelled { throw CancellationError() }
                let labels = set.labels(at: index)
                if sets.count > 1, !seen.insert(labels).inserted { continue }
                buffer.removeAll()
                try set.read(index, into: &buffer)
                guard let (value, timestamp) = Federation.newest(buffer) else { continue }
                guard let name = labels.metricName, !name.isEmpty else {
                    namelessCount += 1
                    continue
                }
                found.append(Found(name: name, labels: labels, value: value, timestamp: timestamp))
            }
        }
        found.sort { a, b in
            a.name.hasSameBytes(as: b.name) ? a.labels < b.labels : a.name.precedesByBytes(b.name)
        }
        gather(found, externalLabels)
    }

    /// Nil where there is none, or where the series has ended: no exposition has a word for that.
    private static func newest(_ buffer: SampleBuffer) -> (Value, Timestamp)? {
        let float = buffer.timestamps.last ?? .min
        if let time = buffer.histogramTimestamps.last, time > float, let histogram = buffer.histograms.last {
            return histogram.isStale ? nil : (.histogram(histogram), time)
        }
        guard let value = buffer.values.last, !StaleMarker.isStale(value) else { return nil }
        return (.float(value), float)
    }

    private mutating func gather(_ found: [Found], _ externalLabels: LabelSet) {
        var lastIsHistogram = false
        for one in found {
            let sample = Sample(
                labels: Federation.labels(of: one.labels, externalLabels), value: one.value, timestamp: one.timestamp)
            if let last = families.indices.last, families[last].name.hasSameBytes(as: one.name),
                lastIsHistogram == one.isHistogram
            {
                families[last].samples.append(sample)
            } else {
                families.append(Family(name: one.name, samples: [sample]))
                lastIsHistogram = one.isHistogram
            }
        }
    }

    /// An `instance` that is empty keeps the asking server from taking us for the instance.
    private static func labels(of own: LabelSet, _ externalLabels: LabelSet) -> [Label] {
        var all = Array(own.dropping([Label.metricName]))
        for label in externalLabels where own[label.name] == nil { all.append(label) }
        if own[Label.instance] == nil, externalLabels[Label.instance] == nil {
            all.append(Label(Label.instance, ""))
        }
        return all.sorted { $0.name.precedesByBytes($1.name) }
    }
}
