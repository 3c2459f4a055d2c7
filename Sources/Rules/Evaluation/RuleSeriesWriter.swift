import SeriesModel
import StorageAPI

/// Writes a rule's output and remembers what it wrote, so that a series that is not there any more gets a stale
/// marker.
struct RuleSeriesWriter: Sendable {
    /// The series of the newest evaluation, with references where the store gave them.
    private(set) var current: [LabelSet: SeriesRef?] = [:]

    /// Writes one evaluation as one batch.
    /// - Returns: why samples were left out, if any were.
    /// - Throws: `StorageError` when nothing was written; what was written before is remembered as before.
    mutating func write(
        _ samples: [RuleSample], at time: Timestamp, to storage: any Appendable
    ) async throws -> [AppendResult.Rejection: Int] {
        var next: [LabelSet: SeriesRef?] = [:]
        next.reserveCapacity(samples.count)
        var output = samples
        for sample in samples { next[sample.labels] = .some(current[sample.labels] ?? nil) }
        for labels in current.keys where next[labels] == nil { output.append(RuleSample(labels, StaleMarker.value)) }
        let (rejections, refs) = try await append(output, at: time, to: storage)
        for (labels, ref) in refs where next[labels] != nil { next[labels] = .some(ref) }
        current = next
        return rejections
    }

    /// Ends series that belong to no rule any more.
    static func end(_ series: some Sequence<LabelSet>, at time: Timestamp, in storage: any Appendable) async throws {
        var batch = SampleBatch()
        for labels in series { batch.append(labels, time, StaleMarker.value) }
        batch.rowsInOrder = 0..<batch.count
        if !batch.isEmpty { _ = try await storage.append(batch) }
    }

    private func append(
        _ samples: [RuleSample], at time: Timestamp, to storage: any Appendable
    ) async throws -> ([AppendResult.Rejection: Int], [(LabelSet, SeriesRef)]) {
        var rejections: [AppendResult.Rejection: Int] = [:]
        var refs: [(LabelSet, SeriesRef)] = []
        var pending = samples.indices.map { $0 }
        var usesReferences = true
        while !pending.isEmpty {
            var batch = SampleBatch()
            var announced: [LabelSet] = []
            for index in pending {
                let sample = samples[index]
                if usesReferences, let ref = current[sample.labels] ?? nil {
                    batch.append(sample, of: ref, at: time)
                } else {
                    announced.append(sample.labels)
                    batch.append(sample, at: time)
                }
            }
            batch.rowsInOrder = 0..<batch.count
            let result = try await storage.append(batch)
            for (labels, ref) in zip(announced, result.refs) {
                if let ref { refs.append((labels, ref)) }
            }
            // A reference may be of a series that has left meanwhile: say the labels once more.
            var again: [Int] = []
            for (sample, reason) in result.rejected where pending.indices.contains(sample) {
                if reason == .unknownSeries, usesReferences {
                    again.append(pending[sample])
                } else {
                    rejections[reason, default: 0] += 1
                }
            }
            pending = again
            usesReferences = false
        }
        return (rejections, refs)
    }
}

extension SampleBatch {
    fileprivate mutating func append(_ sample: RuleSample, of ref: SeriesRef, at time: Timestamp) {
        if let histogram = sample.histogram {
            append(ref, time, histogram)
        } else {
            append(ref, time, sample.value)
        }
    }

    fileprivate mutating func append(_ sample: RuleSample, at time: Timestamp) {
        if let histogram = sample.histogram {
            append(sample.labels, time, histogram)
        } else {
            append(sample.labels, time, sample.value)
        }
    }
}

extension AppendResult.Rejection {
    /// Upstream's words.
    var message: String {
        switch self {
        case .duplicateTimestamp: "duplicate sample for timestamp"
        case .outOfOrder: "out of order sample"
        case .tooOld: "too old sample"
        case .outOfBounds: "out of bounds"
        case .unknownSeries: "unknown series"
        case .invalidHistogram: "invalid histogram"
        }
    }
}
