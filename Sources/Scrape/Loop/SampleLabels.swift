import Relabeling
import SeriesModel

/// Makes the labels under which a scraped sample is stored: exposed labels, joined with the target's, relabelled,
/// checked. Only done for lines that were not seen before.
struct SampleLabels: Sendable {
    /// No text of a label may be longer, whatever the configuration allows: one series must not fill a log or an
    /// index. Bytes.
    static let textLengthMax = 64 << 10

    /// Nor may a series have more labels: much that is done with labels takes the square of their number.
    static let labelsMax = 1024

    let target: LabelSet
    let honorsLabels: Bool
    let rules: [RelabelRule]
    let limits: ScrapeLimits
    let nameValidation: NameValidation

    init(_ target: Target, _ config: ScrapeConfig) {
        self.target = target.labels
        honorsLabels = config.honorsLabels
        rules = config.metricRelabelRules
        limits = config.limits
        nameValidation = config.nameValidation
    }

    /// - Parameter exposed: the line's labels, empty values included.
    /// - Returns: nil where relabelling drops the sample.
    /// - Throws: `ScrapeFailure`: one bad series fails the whole scrape.
    func make(_ exposed: [Label]) throws(ScrapeFailure) -> LabelSet? {
        guard exposed.count <= SampleLabels.labelsMax else {
            let metric = exposed.first { $0.name.hasSameBytes(as: Label.metricName) }?.value ?? ""
            throw tooManyLabels(metric.prefixBytes(50), exposed.count, limit: SampleLabels.labelsMax)
        }
        let joined = honorsLabels ? joinHonoring(exposed) : joinRenaming(exposed)
        guard let labels = rules.isEmpty ? joined : rules.apply(to: joined), !labels.isEmpty else { return nil }
        try check(labels)
        return labels
    }

    /// Exposed labels win, even by an empty value.
    private func joinHonoring(_ exposed: [Label]) -> LabelSet {
        var labels = exposed
        for label in target where !exposed.contains(where: { $0.name.hasSameBytes(as: label.name) }) {
            labels.append(label)
        }
        return LabelSet(labels)
    }

    /// The target's labels win; what they push aside becomes `exported_…`.
    private func joinRenaming(_ exposed: [Label]) -> LabelSet {
        var builder = LabelSetBuilder(LabelSet(exposed))
        var displaced: [Label] = []
        for label in target {
            if let value = builder[label.name] { displaced.append(Label(label.name, value)) }
            builder.set(label.name, label.value)
        }
        // Shorter names first, so that a label already called exported_x keeps its own name longest.
        displaced.sort { $0.name.utf8.count < $1.name.utf8.count }
        for label in displaced {
            var name = "exported_" + label.name
            while builder[name] != nil { name = "exported_" + name }
            builder.set(name, label.value)
        }
        return builder.build()
    }

    private func tooManyLabels(_ metric: String, _ count: Int, limit: Int) -> ScrapeFailure {
        ScrapeFailure(
            .labelLimit, "label_limit exceeded (metric: \(metric), number of labels: \(count), limit: \(limit))")
    }

    private func check(_ labels: LabelSet) throws(ScrapeFailure) {
        guard let metric = labels.metricName else {
            throw ScrapeFailure(.invalid, "missing metric name (__name__ label)")
        }
        if nameValidation == .legacy {
            let isLegacy =
                LabelName.isLegacyMetricName(metric)
                && labels.allSatisfy { LabelName.isLegacyLabelName($0.name) }
            guard isLegacy else { throw ScrapeFailure(.invalid, "invalid metric name or label names: \(labels)") }
        }
        let shown = metric.prefixBytes(50)
        if limits.labels > 0 {
            let count = labels.count
            guard count <= limits.labels else {
                throw tooManyLabels(shown, count, limit: limits.labels)
            }
        }
        let nameMax = limits.labelNameLength > 0 ? limits.labelNameLength : SampleLabels.textLengthMax
        let valueMax = limits.labelValueLength > 0 ? limits.labelValueLength : SampleLabels.textLengthMax
        var ranges = labels.ranges
        while let (name, value) = ranges.next() {
            guard name.count > nameMax || value.count > valueMax else { continue }
            let text = String(decoding: labels.packed[name], as: UTF8.self).prefixBytes(50)
            if name.count > nameMax {
                throw ScrapeFailure(
                    .labelLimit,
                    "label_name_length_limit exceeded (metric: \(shown), label name: \(text), "
                        + "length: \(name.count), limit: \(nameMax))")
            }
            let beginning = String(decoding: labels.packed[value.prefix(200)], as: UTF8.self).prefixBytes(50)
            throw ScrapeFailure(
                .labelLimit,
                "label_value_length_limit exceeded (metric: \(shown), label name: \(text), "
                    + "value: \(GoQuote.quote(beginning)), length: \(value.count), limit: \(valueMax))")
        }
    }
}
