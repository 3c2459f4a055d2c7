import SeriesModel

extension TestScript.Load {
    /// Appends the data to a store.
    func append(to store: MemoryStore) throws(MemoryStore.AppendError) {
        for one in series { try store.append(try samples(of: one), to: one.labels) }
        guard addsCustomBucketHistograms else { return }
        var classic = ClassicHistograms()
        for one in series { try classic.add(one.labels, try samples(of: one)) }
        for (labels, samples) in try classic.converted() { try store.append(samples, to: labels) }
    }

    private func samples(of series: TestScript.LoadedSeries) throws(MemoryStore.AppendError) -> [StoredSample] {
        var samples: [StoredSample] = []
        for (index, value) in series.values.enumerated() {
            let (timestamp, overflow) = step.multipliedReportingOverflow(by: Int64(index))
            if overflow {
                throw MemoryStore.AppendError(description: "\(series.labels.metricNotation): time out of range")
            }
            let stored: StoredSample.Value
            switch value {
            case .omitted: continue
            case .float(let number): stored = .float(number)
            case .histogram(let literal): stored = .histogram(literal.histogram)
            }
            let offset = series.startOffsets.isEmpty ? nil : series.startOffsets[index]
            let start = offset.map { timestamp.addingClamped($0) } ?? 0
            samples.append(StoredSample(timestamp, stored, startTimestamp: start))
        }
        return samples
    }
}
