package import SeriesModel

/// A sample of a `MemoryStore`.
package struct StoredSample: Sendable {
    package enum Value: Sendable {
        case float(Double)
        case histogram(NativeHistogram)
    }

    /// ms
    package var timestamp: Timestamp
    package var value: Value
    /// ms; 0 for unknown.
    package var startTimestamp: Timestamp

    package init(_ timestamp: Timestamp, _ value: Value, startTimestamp: Timestamp = 0) {
        self.timestamp = timestamp
        self.value = value
        self.startTimestamp = startTimestamp
    }
}

/// The samples of one series, in time order.
struct SeriesRecord: Sendable {
    private(set) var samples: [StoredSample] = []
    private var run = HistogramRun()

    mutating func append(_ sample: StoredSample) throws(MemoryStore.AppendError) {
        if let newest = samples.last, sample.timestamp <= newest.timestamp {
            if sample.timestamp == newest.timestamp, sample.value.repeats(newest.value) { return }
            throw MemoryStore.AppendError(
                description: "the sample at \(sample.timestamp) is not newer than the one at \(newest.timestamp)")
        }
        var sample = sample
        switch sample.value {
        case .float: run.end()
        case .histogram(var histogram):
            do throws(HistogramError) {
                try histogram.validate()
            } catch {
                throw MemoryStore.AppendError(description: error.description)
            }
            histogram.counterResetHint = run.storedHint(of: histogram)
            sample.value = .histogram(histogram)
        }
        samples.append(sample)
    }

    func hasSamples(in range: TimeRange) -> Bool {
        samples.contains { range.contains($0.timestamp) }
    }

    func read(_ range: TimeRange, into buffer: inout SampleBuffer) {
        for sample in samples where range.contains(sample.timestamp) {
            switch sample.value {
            case .float(let value): buffer.append(sample.timestamp, value, start: sample.startTimestamp)
            case .histogram(let value): buffer.append(sample.timestamp, value, start: sample.startTimestamp)
            }
        }
    }
}

extension StoredSample.Value {
    /// Whether it says the same as the sample before it at the same time. Hints do not count: the store sets them.
    fileprivate func repeats(_ other: StoredSample.Value) -> Bool {
        switch (self, other) {
        case (.float(let a), .float(let b)): return a.bitPattern == b.bitPattern
        case (.histogram(var a), .histogram(let b)):
            a.counterResetHint = b.counterResetHint
            return a == b
        case (.float, .histogram), (.histogram, .float): return false
        }
    }
}
