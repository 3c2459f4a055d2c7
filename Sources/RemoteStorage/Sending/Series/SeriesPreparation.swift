import ByteCoding
import Relabeling
import SeriesModel

/// What a series is sent as: external labels and `write_relabel_configs` applied, in the form that requests want.
struct SeriesPreparation: Sendable {
    let external: ExternalLabels
    let rules: [RelabelRule]
    let message: RemoteWriteSection.Message

    /// Nil where rules drop the series, or leave it no label.
    func labels(of series: LabelSet) -> LabelSet? {
        let labels = external.added(to: series)
        guard !rules.isEmpty else { return labels.isEmpty ? nil : labels }
        guard let relabelled = rules.apply(to: labels), !relabelled.isEmpty else { return nil }
        return relabelled
    }

    /// Version 1: label fields of a `TimeSeries` message, ready to be copied. Version 2: the packed set, whose strings each
    /// request numbers.
    func bytes(of labels: LabelSet) -> [UInt8] {
        message == .version1 ? SeriesPreparation.labelFields(labels) : labels.packed
    }

    /// The labels as repeated field 1 of a message, each a `Label`.
    static func labelFields(_ labels: LabelSet) -> [UInt8] {
        var out = WireWriter()
        var ranges = labels.ranges
        labels.packed.withUnsafeBytes { packed in
            while let (name, value) = ranges.next() {
                out.beginSized(
                    1, WireWriter.headSize(name.count) + name.count + WireWriter.headSize(value.count) + value.count)
                out.sized(1, UnsafeRawBufferPointer(rebasing: packed[name]))
                out.sized(2, UnsafeRawBufferPointer(rebasing: packed[value]))
            }
        }
        return out.bytes
    }
}
