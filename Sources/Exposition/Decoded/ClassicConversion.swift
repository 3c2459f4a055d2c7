import SeriesModel

extension DecodedExposition {
    /// Reads a text whose classic histograms become native ones with custom bounds: neighbouring series of a family of
    /// type `histogram` that differ in `le` alone.
    /// - Throws: as the parser of the text does.
    package init(
        convertingClassic parser: consuming ExpositionParser, keepsClassic: Bool, keepsStarts: Bool = false
    ) throws(ExpositionError) {
        self.init(keepsStarts: keepsStarts)
        var conversion = ClassicConversion(parser, keepsClassic: keepsClassic)
        try conversion.run(into: &self)
    }
}

/// Walks over the lines of a text and gathers those of a histogram.
private struct ClassicConversion {
    private var parser: ExpositionParser
    private let keepsClassic: Bool
    /// The family that the last `# TYPE` named, if of histograms.
    private var family: [UInt8]?
    private var histogram = ClassicHistogram()
    /// Those of the histogram's series without `le`, under the family's name.
    private var labels: [Label] = []
    private var timestamp: Timestamp?
    private var start: Timestamp?
    private var exemplars: [(labels: [Label], text: ExemplarText)] = []

    private enum Part {
        case count, sum
        case bucket(Double)
    }

    init(_ parser: ExpositionParser, keepsClassic: Bool) {
        self.parser = parser
        self.keepsClassic = keepsClassic
    }

    mutating func run(into out: inout DecodedExposition) throws(ExpositionError) {
        while let event = try parser.next() {
            guard case .series(let line) = event else {
                emit(into: &out)
                out.copy(event, of: parser)
                if case .type(let metric, let kind) = event {
                    family = kind == .histogram ? Array(parser.metricName(metric).utf8) : nil
                }
                continue
            }
            let pairs = try parser.labelPairs(of: line.text)
            guard let (part, base) = part(pairs) else {
                emit(into: &out)
                out.start = parser.startTimestamp
                try out.copy(line, pairs, of: parser)
                continue
            }
            if !isSame(base) {
                emit(into: &out)
                labels = base
            }
            try take(part, line)
            if keepsClassic {
                out.start = parser.startTimestamp
                try out.copy(line, pairs, of: parser)
            }
        }
        emit(into: &out)
    }

    // MARK: - Histograms

    /// What a series is of a histogram of the family, with the labels of the whole.
    private func part(_ pairs: [Label]) -> (Part, base: [Label])? {
        guard let family, let name = pairs.first(where: { $0.name.hasSameBytes(as: Label.metricName) })?.value,
            name.utf8.starts(with: family)
        else { return nil }
        let base = pairs.compactMap { label -> Label? in
            if label.name.hasSameBytes(as: Label.bucketBound) { return nil }
            guard label.name.hasSameBytes(as: Label.metricName) else { return label }
            return Label(label.name, String(decoding: family, as: UTF8.self))
        }
        switch String(decoding: name.utf8.dropFirst(family.count), as: UTF8.self) {
        case "_count": return (.count, base)
        case "_sum": return (.sum, base)
        case "_bucket":
            guard let text = pairs.first(where: { $0.name.hasSameBytes(as: Label.bucketBound) })?.value,
                let bound = NumberText.parse(text), !bound.isNaN
            else { return nil }
            return (.bucket(bound), base)
        default: return nil
        }
    }

    private func isSame(_ base: [Label]) -> Bool {
        guard !histogram.isEmpty || !labels.isEmpty, base.count == labels.count else { return false }
        return zip(base, labels).allSatisfy { $0.name.hasSameBytes(as: $1.name) && $0.value.hasSameBytes(as: $1.value) }
    }

    private mutating func take(_ part: Part, _ line: SeriesLine) throws(ExpositionError) {
        switch part {
        case .count: histogram.setCount(line.value)
        case .sum: histogram.setSum(line.value)
        case .bucket(let bound): histogram.setBucket(bound, line.value)
        }
        timestamp = line.timestamp
        start = parser.startTimestamp
        if let exemplar = line.exemplar {
            exemplars.append((Array(try parser.labels(of: exemplar)), exemplar))
        }
    }

    /// Ends the histogram that is being gathered.
    private mutating func emit(into out: inout DecodedExposition) {
        defer {
            histogram = ClassicHistogram()
            labels = []
            exemplars = []
        }
        guard !histogram.isEmpty, let converted = histogram.converted(), (try? converted.validate()) != nil else {
            return
        }
        let text = out.write(series: labels)
        let copies = exemplars.map { exemplar in
            ExemplarText(
                labels: out.write(labels: exemplar.labels), value: exemplar.text.value,
                timestamp: exemplar.text.timestamp)
        }
        out.start = start
        out.append(text, converted, timestamp, copies)
    }
}
