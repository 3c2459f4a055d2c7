import SeriesModel
import StorageAPI
import TestSupport

@testable import TSDB

extension TestStore {
    @discardableResult
    func append(_ samples: [(LabelSet, Timestamp, NativeHistogram)]) async throws -> AppendResult {
        var batch = SampleBatch()
        for (labels, timestamp, histogram) in samples { batch.append(labels, timestamp, histogram) }
        return try await store.append(batch)
    }

    func buffers(
        _ matchers: [LabelMatcher] = [], _ range: TimeRange = .all, newestOnly: Bool = false
    ) throws -> [LabelSet: SampleBuffer] {
        var hints = SelectHints()
        hints.wantsNewestOnly = newestOnly
        let sets = try store.select(
            [Selection(matchers: matchers, range: range, hints: hints)], cancellation: Cancellation())
        var found: [LabelSet: SampleBuffer] = [:]
        for index in 0..<sets[0].count {
            var buffer = SampleBuffer()
            try sets[0].read(index, into: &buffer)
            if !buffer.isEmpty { found[sets[0].labels(at: index)] = buffer }
        }
        return found
    }

    func mixed(_ matchers: [LabelMatcher] = [], _ range: TimeRange = .all) throws -> [LabelSet: [MixedSample]] {
        try buffers(matchers, range).mapValues(\.mixed)
    }
}
