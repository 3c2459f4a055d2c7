package import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// Reads an exposition, one entry a call, over the body's bytes in place.
///
/// A sample line costs finding the end of its series text and reading its number; nothing is allocated and no string is
/// made. Labels are read where somebody asks for them: for series that a scrape cache has not seen.
///
/// The parser does not own the bytes: they must outlive it, as inside `withUnsafeBytes`. After an error there is no
/// going on. Any bytes are safe to read.
package struct ExpositionParser {
    package let body: UnsafeRawBufferPointer
    private let isOpenMetrics: Bool
    private var text: TextParser
    private var openMetrics: OpenMetricsParser
    /// Read before, where the entries are not lines of a text.
    private let decoded: DecodedExposition?
    private var nextEvent = 0

    package init(_ body: UnsafeRawBufferPointer, format: ExpositionFormat) {
        self.init(body, isOpenMetrics: format.isOpenMetrics, decoded: nil)
    }

    /// - Parameter texts: those of the decoded body.
    package init(_ decoded: DecodedExposition, texts: UnsafeRawBufferPointer) {
        self.init(texts, isOpenMetrics: true, decoded: decoded)
    }

    private init(_ body: UnsafeRawBufferPointer, isOpenMetrics: Bool, decoded: DecodedExposition?) {
        self.body = body
        self.isOpenMetrics = isOpenMetrics
        self.decoded = decoded
        text = TextParser(scanner: BodyScanner(bytes: body, grammar: .prometheus))
        openMetrics = OpenMetricsParser(scanner: BodyScanner(bytes: body, grammar: .openMetrics))
    }

    /// The next entry; nil at the end of the exposition.
    package mutating func next() throws(ExpositionError) -> ExpositionEvent? {
        if let decoded {
            guard nextEvent < decoded.events.count else { return nil }
            defer { nextEvent += 1 }
            return decoded.events[nextEvent]
        }
        return isOpenMetrics ? try openMetrics.next() : try text.next()
    }

    /// The next line, if it is a sample of just this series text; nil, with nothing consumed, where it is not. A scrape
    /// repeats the lines of the one before in the same order: comparing with the line expected here is several times
    /// cheaper than looking for the end of the text and then looking the text up.
    /// - Parameter seriesText: bytes that `SeriesLine.text` named in an earlier body.
    package mutating func next(expecting seriesText: UnsafeRawBufferPointer) throws(ExpositionError) -> SeriesLine? {
        if let decoded { return nextDecoded(decoded, expecting: seriesText) }
        let start = isOpenMetrics ? openMetrics.scanner.position : text.scanner.position
        let count = seriesText.count
        guard count > 0, body.count - start > count, let expected = seriesText.baseAddress, let base = body.baseAddress,
            memcmp(base + start, expected, count) == 0
        else { return nil }
        let separator = body[start &+ count]
        if isOpenMetrics {
            guard separator == 0x20 else { return nil }
            openMetrics.scanner.lineStart = start
            return try openMetrics.suffix(start..<start &+ count, after: start)
        }
        guard separator == 0x20 || separator == 0x09 else { return nil }
        // The text of a bare name may go on with a brace behind white space.
        let next = text.scanner.skipBlanks(start &+ count)
        if next < body.count, body[next] == UInt8(ascii: "{") { return nil }
        text.scanner.lineStart = start
        return try text.suffix(start..<start &+ count, after: start)
    }

    private mutating func nextDecoded(
        _ decoded: DecodedExposition, expecting seriesText: UnsafeRawBufferPointer
    ) -> SeriesLine? {
        guard nextEvent < decoded.events.count, case .series(let line) = decoded.events[nextEvent],
            line.text.count == seriesText.count, let expected = seriesText.baseAddress, let base = body.baseAddress,
            memcmp(base + line.text.lowerBound, expected, line.text.count) == 0
        else { return nil }
        nextEvent += 1
        return line
    }

    /// Of the sample just read: when the counter, histogram or summary began that it is of, in ms. Nil where the target
    /// does not say, or nobody asked for it (`withParser(of:)`).
    package var startTimestamp: Timestamp? {
        guard let decoded, decoded.starts.indices.contains(nextEvent - 1) else { return nil }
        let start = decoded.starts[nextEvent - 1]
        return start == 0 ? nil : start
    }

    /// The type last declared by a `# TYPE` line.
    package var kind: MetricMetadata.Kind? { isOpenMetrics ? openMetrics.kind : text.kind }

    private var scanner: BodyScanner { isOpenMetrics ? openMetrics.scanner : text.scanner }
}

// MARK: - Texts

extension ExpositionParser {
    /// The labels of the sample just read, `__name__` among them. `le` of histograms and `quantile` of summaries are
    /// brought into the form of OpenMetrics: `1` becomes `1.0`.
    /// - Throws: where the name is missing, a label occurs twice, or a name is not UTF-8.
    package func labels(of seriesText: Range<Int>) throws(ExpositionError) -> LabelSet {
        var reader = LabelReader(scanner, kind: kind)
        return try reader.readSeries(seriesText).labelSet
    }

    /// The same as sorted pairs. Labels that were written with an empty value are in it: beside a target's labels they
    /// mean something (`honor_labels`).
    package func labelPairs(of seriesText: Range<Int>) throws(ExpositionError) -> [Label] {
        var reader = LabelReader(scanner, kind: kind)
        return try reader.readSeries(seriesText).pairs
    }

    package func labels(of exemplar: ExemplarText) throws(ExpositionError) -> LabelSet {
        var reader = LabelReader(scanner, kind: nil)
        return try reader.readExemplar(exemplar.labels).labelSet
    }

    /// The native histogram of a line that has one.
    package func histogram(_ index: Int) -> NativeHistogram {
        guard let decoded, decoded.histograms.indices.contains(index) else { return NativeHistogram() }
        return decoded.histograms[index].histogram
    }

    /// The exemplars of a line that has a native histogram.
    package func exemplars(ofHistogram index: Int) -> ArraySlice<ExemplarText> {
        guard let decoded, decoded.histograms.indices.contains(index) else { return [] }
        return decoded.exemplars[decoded.histograms[index].exemplars]
    }

    /// The metric of a `# TYPE`, `# HELP` or `# UNIT` line.
    package func metricName(_ range: Range<Int>) -> String { LabelReader.unescaped(body, range, quotes: true) }

    /// The text of a `# HELP` line.
    package func helpText(_ range: Range<Int>) -> String { LabelReader.unescaped(body, range, quotes: isOpenMetrics) }

    /// Bytes of the body as they stand.
    package func string(_ range: Range<Int>) -> String {
        String(decoding: body[range.clamped(to: 0..<body.count)], as: UTF8.self)
    }
}
