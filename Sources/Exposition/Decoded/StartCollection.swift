import SeriesModel

extension DecodedExposition {
    /// Reads a text of OpenMetrics whose `_created` series say when counters, histograms and summaries began: such a
    /// series stands behind the others of its metric, which have its labels but for `le` and `quantile`. It is no series
    /// of its own then.
    /// - Throws: as the parser of the text does.
    package init(takingStartsFrom body: UnsafeRawBufferPointer, _ format: ExpositionFormat) throws(ExpositionError) {
        self.init(keepsStarts: true)
        var collection = StartCollection(ExpositionParser(body, format: format))
        try collection.run(into: &self)
    }
}

private struct StartCollection {
    private struct Waiting {
        let line: SeriesLine
        let pairs: [Label]
    }

    /// More samples of one family than so many do not wait for their start.
    private static let waitingMax = 65_536

    private var parser: ExpositionParser
    /// The family that the last `# TYPE` named, if of what has a start.
    private var family: [UInt8]?
    /// The label that only some samples of a metric have.
    private var partLabel = ""
    /// Samples of it whose start may still come.
    private var waiting: [Waiting] = []

    init(_ parser: ExpositionParser) { self.parser = parser }

    mutating func run(into out: inout DecodedExposition) throws(ExpositionError) {
        while let event = try parser.next() {
            guard case .series(let line) = event else {
                try release(nil, into: &out)
                out.copy(event, of: parser)
                if case .type(let metric, let kind) = event {
                    let hasStart = kind == .counter || kind == .histogram || kind == .summary
                    family = hasStart ? Array(parser.metricName(metric).utf8) : nil
                    partLabel = kind == .histogram ? Label.bucketBound : kind == .summary ? "quantile" : ""
                }
                continue
            }
            let pairs = try parser.labelPairs(of: line.text)
            guard let family else {
                try out.copy(line, pairs, of: parser)
                continue
            }
            if StartCollection.isStart(pairs, of: family) {
                // In seconds.
                let start = Int64(clamping: line.value * 1000)
                try release(start.map { ($0, base(pairs)) }, into: &out)
            } else {
                if waiting.count == StartCollection.waitingMax { try release(nil, into: &out) }
                waiting.append(Waiting(line: line, pairs: pairs))
            }
        }
        try release(nil, into: &out)
    }

    /// Hands on what waits; what has the labels of the start has begun then.
    private mutating func release(
        _ start: (time: Timestamp, base: [Label])?, into out: inout DecodedExposition
    ) throws(ExpositionError) {
        for sample in waiting {
            if let start, base(sample.pairs) == start.base { out.start = start.time }
            try out.copy(sample.line, sample.pairs, of: parser)
            out.start = nil
        }
        waiting.removeAll(keepingCapacity: true)
    }

    private static func isStart(_ pairs: [Label], of family: [UInt8]) -> Bool {
        guard let name = pairs.first(where: { $0.name.hasSameBytes(as: Label.metricName) })?.value.utf8 else {
            return false
        }
        return name.starts(with: family) && name.dropFirst(family.count).elementsEqual("_created".utf8)
    }

    /// The labels that all samples of a metric have.
    private func base(_ pairs: [Label]) -> [Label] {
        pairs.filter { !$0.name.hasSameBytes(as: Label.metricName) && !$0.name.hasSameBytes(as: partLabel) }
    }
}
