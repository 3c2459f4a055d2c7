import Exposition
import SeriesModel

/// The metric family whose lines are being read, and the labels `__type__` and `__unit__` that its series get where
/// the feature `type-and-unit-labels` is on.
struct FamilyLabels: Sendable {
    static let typeName = "__type__"
    static let unitName = "__unit__"

    private var name = ""
    private var metadata = MetricMetadata()

    /// Takes a comment line in.
    mutating func see(_ event: ExpositionEvent, _ parser: ExpositionParser) {
        switch event {
        case .type(let metric, let kind):
            enter(parser.metricName(metric))
            metadata.kind = kind
        case .unit(let metric, let text):
            enter(parser.metricName(metric))
            metadata.unit = parser.string(text)
        case .help(let metric, _): enter(parser.metricName(metric))
        case .series, .comment: break
        }
    }

    private mutating func enter(_ family: String) {
        if family.hasSameBytes(as: name) { return }
        name = family
        metadata = MetricMetadata()
    }

    /// Gives a series of the family its labels; what is known of the family goes before what the line itself says.
    func add(to labels: inout [Label]) {
        guard let metric = labels.first(where: { $0.name.hasSameBytes(as: Label.metricName) })?.value, owns(metric)
        else { return }
        if metadata.kind != .unknown { set(FamilyLabels.typeName, metadata.kind.rawValue, in: &labels) }
        if !metadata.unit.isEmpty { set(FamilyLabels.unitName, metadata.unit, in: &labels) }
    }

    private func owns(_ metric: String) -> Bool {
        let (family, metric) = (Array(name.utf8), Array(metric.utf8))
        guard !family.isEmpty, metric.starts(with: family) else { return false }
        let suffix = metric[family.count...]
        return suffix.isEmpty || suffixes.contains { $0.utf8.elementsEqual(suffix) }
    }

    /// What the series of a family may have behind the family's name.
    private var suffixes: [String] {
        switch metadata.kind {
        case .counter: ["_total", "_created"]
        case .histogram: ["_bucket", "_count", "_sum", "_created"]
        case .gaugehistogram: ["_bucket", "_gcount", "_gsum"]
        case .summary: ["_count", "_sum", "_created"]
        case .info: ["_info"]
        case .gauge, .stateset, .unknown: []
        }
    }

    private func set(_ name: String, _ value: String, in labels: inout [Label]) {
        labels.removeAll { $0.name.hasSameBytes(as: name) }
        labels.append(Label(name, value))
    }
}
