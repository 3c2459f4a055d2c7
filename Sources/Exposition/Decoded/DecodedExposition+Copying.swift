import SeriesModel

/// What a text said, said once more.
extension DecodedExposition {
    /// An entry that is no sample.
    mutating func copy(_ event: ExpositionEvent, of parser: ExpositionParser) {
        switch event {
        case .type(let metric, let kind):
            append(.type(metric: write(escaped: parser.metricName(metric).utf8), kind: kind))
        case .help(let metric, let text):
            let metric = write(escaped: parser.metricName(metric).utf8)
            append(.help(metric: metric, text: write(escaped: parser.helpText(text).utf8)))
        case .unit(let metric, let text):
            let metric = write(escaped: parser.metricName(metric).utf8)
            append(.unit(metric: metric, text: write(raw: parser.string(text).utf8)))
        case .series, .comment: break
        }
    }

    /// A sample of a float.
    /// - Parameter pairs: its labels.
    mutating func copy(
        _ line: SeriesLine, _ pairs: [Label], of parser: ExpositionParser
    ) throws(ExpositionError) {
        let text = write(series: pairs)
        var copied: ExemplarText?
        if let exemplar = line.exemplar {
            let labels = write(labels: Array(try parser.labels(of: exemplar)))
            copied = ExemplarText(labels: labels, value: exemplar.value, timestamp: exemplar.timestamp)
        }
        append(text, line.value, line.timestamp, copied)
    }

    /// - Parameter pairs: labels, the name among them.
    mutating func write(series pairs: [Label]) -> Range<Int> {
        let name = pairs.first { $0.name.hasSameBytes(as: Label.metricName) }?.value ?? ""
        let others = pairs.filter { !$0.name.hasSameBytes(as: Label.metricName) }
        let family = write(escaped: name.utf8)
        return writeSeries(family, write(labels: others))
    }

    mutating func write(labels: [Label]) -> Range<Int> {
        let start = texts.count
        for (index, label) in labels.enumerated() {
            writeLabel(label.name.utf8, label.value.utf8, isFirst: index == 0)
        }
        return start..<texts.count
    }
}
