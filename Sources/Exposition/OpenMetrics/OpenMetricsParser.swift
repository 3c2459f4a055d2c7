import SeriesModel

/// Reads OpenMetrics 1.0 and 0.0.1 (specification: RFC-style text of the OpenMetrics project), as leniently as
/// upstream's scrape parser: the grammar is checked, the meaning (order of families, units of counters, bucket order)
/// is not.
struct OpenMetricsParser {
    var scanner: BodyScanner
    /// The type last declared; see `TextParser.kind`.
    var kind: MetricMetadata.Kind?

    private static let missingEnd = "data does not end with # EOF"

    mutating func next() throws(ExpositionError) -> ExpositionEvent? {
        let start = scanner.position
        scanner.lineStart = start
        guard let first = scanner.byte(start) else { throw scanner.error(OpenMetricsParser.missingEnd) }
        switch first {
        case UInt8(ascii: "#"): return try keyword(start)
        case UInt8(ascii: "{"):
            let end = try scanner.skipLabels(start + 1, hasName: false)
            return .series(try suffix(start..<end, after: end - 1))
        default:
            let nameEnd = scanner.skipMetricName(start)
            guard nameEnd > start else {
                throw scanner.unexpected("expected a valid start token", at: start, after: start, .start)
            }
            guard scanner.byte(nameEnd) == UInt8(ascii: "{") else {
                return .series(try suffix(start..<nameEnd, after: start))
            }
            let end = try scanner.skipLabels(nameEnd + 1, hasName: true)
            return .series(try suffix(start..<end, after: end - 1))
        }
    }

    /// Reads what follows the series: ` value [ timestamp][ # {labels} value [ timestamp]]` and the newline.
    mutating func suffix(_ text: Range<Int>, after previous: Int) throws(ExpositionError) -> SeriesLine {
        let value = try number(text.upperBound, "metric", after: previous, .value)
        var index = scanner.position
        var timestamp: Timestamp?
        if scanner.byte(index) == 0x20, let next = scanner.byte(index + 1), next != 0x20, next != 0x0A, next != 0,
            !isExemplar(index)
        {
            timestamp = try milliseconds(index, "timestamp")
            index = scanner.position
            if scanner.byte(index) != UInt8(ascii: "\n"), !isExemplar(index) {
                throw scanner.unexpected("expected next entry after timestamp", at: index, after: index, .timestamp)
            }
        }
        var exemplar: ExemplarText?
        if isExemplar(index) {
            exemplar = try self.exemplar(index + 4)
            index = scanner.position
        }
        guard let end = scanner.byte(index) else { throw scanner.error(OpenMetricsParser.missingEnd) }
        guard end == UInt8(ascii: "\n") else {
            throw scanner.unexpected("expected timestamp or new record", at: index, after: index, .timestamp)
        }
        scanner.position = index + 1
        return SeriesLine(text: text, value: value, timestamp: timestamp, exemplar: exemplar)
    }

    /// Whether ` # {` stands at an index.
    @inline(__always)
    private func isExemplar(_ index: Int) -> Bool {
        index &+ 3 < scanner.bytes.count && scanner.bytes[index] == 0x20
            && scanner.bytes[index &+ 1] == UInt8(ascii: "#") && scanner.bytes[index &+ 2] == 0x20
            && scanner.bytes[index &+ 3] == UInt8(ascii: "{")
    }

    /// Reads a space and a number and moves behind them.
    @inline(__always)
    private mutating func number(
        _ start: Int, _ subject: String, after previous: Int, _ state: LexState
    ) throws(ExpositionError) -> Double {
        if scanner.byte(start) == 0x20 {
            scanner.position = start &+ 1
            if let value = scanner.fastNumber() { return value }
        }
        return try slowNumber(start, subject, after: previous, state)
    }

    @inline(never)
    private mutating func slowNumber(
        _ start: Int, _ subject: String, after previous: Int, _ state: LexState
    ) throws(ExpositionError) -> Double {
        let end = wordEnd(start + 1)
        guard scanner.byte(start) == 0x20, end > start + 1 else {
            throw scanner.unexpected("expected value after " + subject, at: start, after: previous, state)
        }
        let value = try scanner.number(start + 1..<end)
        scanner.position = end
        return value
    }

    /// Reads a space and a time in seconds and moves behind them.
    private mutating func milliseconds(_ start: Int, _ subject: String) throws(ExpositionError) -> Timestamp {
        let end = wordEnd(start + 1)
        let seconds = try scanner.number(start + 1..<end)
        guard seconds.isFinite, let milliseconds = Int64(clamping: seconds * 1000) else {
            throw scanner.error("invalid \(subject) \(NumberText.fixed(seconds))")
        }
        scanner.position = end
        return milliseconds
    }

    private func wordEnd(_ start: Int) -> Int {
        var index = start
        while let byte = scanner.byte(index), byte != 0x20, byte != UInt8(ascii: "\n"), byte != 0 { index += 1 }
        return index
    }

    /// Reads an exemplar from behind its opening brace up to the newline.
    private mutating func exemplar(_ start: Int) throws(ExpositionError) -> ExemplarText {
        let end = try scanner.skipLabels(start, hasName: true, isExemplar: true)
        let value = try number(end, "exemplar labels", after: end - 1, .exemplarNumber)
        let index = scanner.position
        guard let next = scanner.byte(index) else { throw scanner.error(OpenMetricsParser.missingEnd) }
        if next == UInt8(ascii: "\n") { return ExemplarText(labels: start..<end - 1, value: value, timestamp: nil) }
        guard next == 0x20, wordEnd(index + 1) > index + 1 else {
            throw scanner.unexpected("expected timestamp or comment", at: index, after: index, .exemplarTimestamp)
        }
        let timestamp = try milliseconds(index, "exemplar timestamp")
        guard scanner.byte(scanner.position) == UInt8(ascii: "\n") else {
            throw scanner.unexpected(
                "expected next entry after exemplar timestamp", at: scanner.position, after: index, .exemplarTimestamp)
        }
        return ExemplarText(labels: start..<end - 1, value: value, timestamp: timestamp)
    }
}

// MARK: - Lines that begin with #

extension OpenMetricsParser {
    private enum Keyword: String, CaseIterable {
        case help = "HELP "
        case type = "TYPE "
        case unit = "UNIT "
        case end = "EOF"
    }

    private mutating func keyword(_ start: Int) throws(ExpositionError) -> ExpositionEvent? {
        let isSpaced = scanner.byte(start + 1) == 0x20
        let found = Keyword.allCases.first { word in
            isSpaced && scanner.bytes[min(start + 2, scanner.bytes.count)...].starts(with: word.rawValue.utf8)
        }
        guard let found else {
            throw scanner.unexpected("expected a valid start token", at: start, after: start, .start)
        }
        let behind = start + 2 + found.rawValue.utf8.count
        if found == .end {
            let end = scanner.byte(behind) == UInt8(ascii: "\n") ? behind + 1 : behind
            guard end == scanner.bytes.count else { throw scanner.error("unexpected data after # EOF") }
            return nil
        }
        let (metric, text) = try metadata(String(found.rawValue.dropLast()), behind)
        switch found {
        case .help:
            guard scanner.isUTF8(text) else {
                throw scanner.error("help text \(scanner.quote(text)) is not a valid utf8 string")
            }
            return .help(metric: metric, text: text)
        case .type:
            let kind = try kind(text)
            self.kind = kind
            return .type(metric: metric, kind: kind)
        default:
            try checkUnit(text, of: metric)
            return .unit(metric: metric, text: text)
        }
    }

    private mutating func metadata(
        _ keyword: String, _ start: Int
    ) throws(ExpositionError) -> (metric: Range<Int>, text: Range<Int>) {
        let metric: Range<Int>
        let metricEnd: Int
        if let quoted = scanner.skipQuoted(start, .init(allowsNewline: true, allowsNUL: false)) {
            metric = start + 1..<quoted.end - 1
            metricEnd = quoted.end
        } else {
            metricEnd = scanner.skipMetricName(start)
            guard metricEnd > start else {
                throw scanner.unexpected(
                    "expected metric name after " + keyword, at: start, after: scanner.lineStart, .metadataName)
            }
            metric = start..<metricEnd
        }
        let end = scanner.lineEnd(metricEnd)
        guard scanner.byte(metricEnd) == 0x20, end < scanner.bytes.count else {
            throw scanner.error("expected text in " + keyword)
        }
        scanner.position = end + 1
        return (metric, metricEnd + 1..<end)
    }

    private func kind(_ text: Range<Int>) throws(ExpositionError) -> MetricMetadata.Kind {
        guard let kind = MetricMetadata.Kind(rawValue: String(decoding: scanner.bytes[text], as: UTF8.self)) else {
            throw scanner.error("invalid metric type " + scanner.quote(text))
        }
        return kind
    }

    private func checkUnit(_ unit: Range<Int>, of metric: Range<Int>) throws(ExpositionError) {
        if unit.isEmpty { return }
        let separator = metric.upperBound - unit.count - 1
        let isSuffix =
            separator >= metric.lowerBound && scanner.bytes[separator] == UInt8(ascii: "_")
            && scanner.bytes[separator + 1..<metric.upperBound].elementsEqual(scanner.bytes[unit])
        guard isSuffix else {
            throw scanner.error("unit \(scanner.quote(unit)) not a suffix of metric \(scanner.quote(metric))")
        }
    }
}
