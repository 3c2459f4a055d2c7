import PromQLEngine
import SeriesModel

/// A recording rule: what its query gives, under another name.
struct RecordingRule: Sendable {
    let name: String
    let query: String
    let labels: [Label]

    /// - Throws: `RuleError`, also where two elements become the same series, or there are more than `limit`.
    func evaluate(
        at time: Timestamp, offset: Int64, limit: Int, in context: RuleContext
    ) async throws(RuleError) -> [RuleSample] {
        let found: [VectorSample]
        do {
            found = try await context.query(query, time.subtractingClamped(offset))
        } catch {
            throw RuleError(error)
        }
        var seen: Set<LabelSet> = []
        var samples: [RuleSample] = []
        samples.reserveCapacity(found.count)
        for sample in found {
            var builder = LabelSetBuilder(sample.labels)
            builder.set(Label.metricName, name)
            for label in labels { builder.set(label.name, label.value) }
            let series = builder.build()
            guard seen.insert(series).inserted else {
                throw .failed("vector contains metrics with the same labelset after applying rule labels")
            }
            samples.append(RuleSample(series, sample.value, sample.histogram))
        }
        if limit > 0, samples.count > limit {
            throw .failed("exceeded limit of \(limit) with \(samples.count) series")
        }
        return samples
    }
}
