import SeriesModel

/// Reads the Prometheus text formats 0.0.4 and 1.0.0 (docs: prometheus.io, "Exposition formats"; the second adds quoted
/// names). Where the two are unclear it takes what upstream's scrape parser takes: white space anywhere between tokens,
/// missing commas, blank lines, a missing last newline.
struct TextParser {
    var scanner: BodyScanner
    /// The type last declared. It decides which labels hold numbers, whatever family the samples are of, as upstream.
    var kind: MetricMetadata.Kind?

    mutating func next() throws(ExpositionError) -> ExpositionEvent? {
        while true {
            let start = scanner.skipBlanks(scanner.position)
            scanner.lineStart = start
            scanner.position = start
            // Upstream takes a NUL where a line could begin for the end of the body.
            guard let first = scanner.byte(start), first != 0 else { return nil }
            switch first {
            case UInt8(ascii: "\n"): scanner.position = start + 1
            case UInt8(ascii: "#"): return try comment(start)
            case UInt8(ascii: "{"):
                let end = try scanner.skipLabels(start + 1, hasName: false)
                return .series(try suffix(start..<end, after: start))
            default:
                let nameEnd = scanner.skipMetricName(start)
                guard nameEnd > start else {
                    throw scanner.unexpected("expected a valid start token", at: start, after: start, .start)
                }
                let next = scanner.skipBlanks(nameEnd)
                if scanner.byte(next) == UInt8(ascii: "{") {
                    let end = try scanner.skipLabels(next + 1, hasName: true)
                    return .series(try suffix(start..<end, after: next))
                }
                return .series(try suffix(start..<nameEnd, after: start))
            }
        }
    }

    /// Reads what follows the series: ` value [timestamp]` and the end of the line.
    mutating func suffix(_ text: Range<Int>, after previous: Int) throws(ExpositionError) -> SeriesLine {
        let start = scanner.skipBlanks(text.upperBound)
        scanner.position = start
        let value: Double
        if let number = scanner.fastNumber() {
            value = number
        } else {
            let end = valueEnd(start)
            guard end > start else {
                throw scanner.unexpected("expected value after metric", at: start, after: previous, .value)
            }
            value = try scanner.number(start..<end)
            scanner.position = end
        }
        var index = scanner.skipBlanks(scanner.position)
        var timestamp: Timestamp?
        if index < scanner.bytes.count, scanner.bytes[index] != UInt8(ascii: "\n") {
            let (time, end) = try self.timestamp(index, after: start)
            timestamp = time
            index = scanner.skipBlanks(end)
            if index < scanner.bytes.count, scanner.bytes[index] != UInt8(ascii: "\n") {
                throw scanner.unexpected("expected next entry after timestamp", at: index, after: end, .timestamp)
            }
        }
        scanner.position = min(index + 1, scanner.bytes.count)
        return SeriesLine(text: text, value: value, timestamp: timestamp, exemplar: nil)
    }

    private func valueEnd(_ start: Int) -> Int {
        var index = start
        while let byte = scanner.byte(index), byte != 0x20, byte != 0x09, byte != UInt8(ascii: "\n"), byte != 0,
            byte != UInt8(ascii: "{")
        {
            index += 1
        }
        return index
    }

    private func timestamp(_ start: Int, after previous: Int) throws(ExpositionError) -> (Timestamp, end: Int) {
        var index = start
        var time: Int64 = 0
        var isTooLarge = false
        while let digit = scanner.byte(index), ByteClass.isDigit(digit) {
            let (scaled, overflow) = time.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(Int64(digit - 0x30))
            isTooLarge = isTooLarge || overflow || carried
            time = sum
            index += 1
        }
        guard index > start else {
            throw scanner.unexpected("expected timestamp or new record", at: start, after: previous, .timestamp)
        }
        guard !isTooLarge else {
            let digits = scanner.quote(start..<index)
            throw scanner.failure("strconv.ParseInt: parsing \(digits): value out of range", upTo: index)
        }
        return (time, index)
    }
}

// MARK: - Lines that begin with #

extension TextParser {
    private mutating func comment(_ start: Int) throws(ExpositionError) -> ExpositionEvent {
        let word = scanner.skipBlanks(start + 1)
        if word > start + 1 {
            if let name = behind("HELP", word) {
                let (metric, text) = try metadata("HELP", name)
                guard scanner.isUTF8(text) else {
                    throw scanner.error("help text \(scanner.quote(text)) is not a valid utf8 string")
                }
                return .help(metric: metric, text: text)
            }
            if let name = behind("TYPE", word) {
                let (metric, text) = try metadata("TYPE", name)
                let kind = try kind(text)
                self.kind = kind
                return .type(metric: metric, kind: kind)
            }
        }
        let end = scanner.lineEnd(start)
        scanner.position = min(end + 1, scanner.bytes.count)
        return .comment(start..<end)
    }

    /// Where the name begins, if a keyword and white space stand at an index.
    private func behind(_ word: StaticString, _ start: Int) -> Int? {
        let matches = word.withUTF8Buffer { word in
            scanner.bytes.count - start > word.count
                && scanner.bytes[start..<start + word.count].elementsEqual(word)
        }
        guard matches else { return nil }
        let name = scanner.skipBlanks(start + word.utf8CodeUnitCount)
        return name > start + word.utf8CodeUnitCount ? name : nil
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
        scanner.position = min(end + 1, scanner.bytes.count)
        // One separator goes, whatever it is; white space alone is no text.
        let isBlank = scanner.skipBlanks(metricEnd) == end
        return (metric, isBlank ? end..<end : min(metricEnd + 1, end)..<end)
    }

    private func kind(_ text: Range<Int>) throws(ExpositionError) -> MetricMetadata.Kind {
        switch String(decoding: scanner.bytes[text], as: UTF8.self) {
        case "counter": return .counter
        case "gauge": return .gauge
        case "histogram": return .histogram
        case "summary": return .summary
        case "untyped": return .unknown
        default: throw scanner.error("invalid metric type " + scanner.quote(text))
        }
    }
}
