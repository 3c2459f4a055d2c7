import SeriesModel

/// Reads the labels out of a series text that the scanner has already found well-formed.
struct LabelReader {
    private let scanner: BodyScanner
    private let kind: MetricMetadata.Kind?
    /// The names and values, unescaped.
    private var unescaped: [UInt8] = []
    /// Ranges of `unescaped`, sorted by the bytes of the name.
    private var fields: [(name: Range<Int>, value: Range<Int>)] = []

    init(_ scanner: BodyScanner, kind: MetricMetadata.Kind?) {
        self.scanner = scanner
        self.kind = kind
    }

    /// What was read, as a set or as pairs.
    struct Labels {
        fileprivate let bytes: [UInt8]
        fileprivate let fields: [(name: Range<Int>, value: Range<Int>)]

        /// Empty values are left out.
        var labelSet: LabelSet {
            var packed: [UInt8] = []
            packed.reserveCapacity(bytes.count + 2 * fields.count)
            for (name, value) in fields where !value.isEmpty {
                LabelSet.appendLength(name.count, to: &packed)
                packed.append(contentsOf: bytes[name])
                LabelSet.appendLength(value.count, to: &packed)
                packed.append(contentsOf: bytes[value])
            }
            return LabelSet(trusted: packed)
        }

        var pairs: [Label] {
            fields.map { name, value in
                Label(String(decoding: bytes[name], as: UTF8.self), String(decoding: bytes[value], as: UTF8.self))
            }
        }
    }

    mutating func readSeries(_ text: Range<Int>) throws(ExpositionError) -> Labels {
        let text = text.clamped(to: 0..<scanner.bytes.count)
        let nameEnd = min(scanner.skipMetricName(text.lowerBound), text.upperBound)
        if nameEnd > text.lowerBound { addName(text.lowerBound..<nameEnd) }
        let brace = scanner.skipBlanks(nameEnd)
        if brace < text.upperBound { try readPairs(brace + 1..<text.upperBound - 1) }
        guard let name = fields.first(where: { isMetricName($0.name) }), !name.value.isEmpty else {
            throw scanner.error("missing metric name (__name__ label)")
        }
        return try finish()
    }

    mutating func readExemplar(_ labels: Range<Int>) throws(ExpositionError) -> Labels {
        try readPairs(labels.clamped(to: 0..<scanner.bytes.count))
        return try finish()
    }

    /// Reads `name="value",…` between the braces.
    private mutating func readPairs(_ range: Range<Int>) throws(ExpositionError) {
        var index = range.lowerBound
        while true {
            index = skipSeparators(index)
            guard index < range.upperBound else { return }
            let nameStart = index
            index = scanner.skipLabelName(nameStart)
            var name = nameStart..<index
            if name.isEmpty {
                guard let quoted = scanner.skipQuoted(nameStart, LabelReader.anyString) else { throw malformed }
                index = quoted.end
                name = nameStart + 1..<index - 1
            }
            index = scanner.skipBlanks(index)
            guard index < range.upperBound, scanner.bytes[index] == UInt8(ascii: "=") else {
                addName(name)
                continue
            }
            index = scanner.skipBlanks(index + 1)
            guard let value = scanner.skipQuoted(index, LabelReader.anyString) else { throw malformed }
            add(name, index + 1..<value.end - 1)
            index = value.end
        }
    }

    private static let anyString = BodyScanner.StringRules(allowsNewline: true, allowsNUL: true)

    private var malformed: ExpositionError { scanner.error("malformed series text") }

    private func skipSeparators(_ start: Int) -> Int {
        var index = scanner.skipBlanks(start)
        while scanner.byte(index) == UInt8(ascii: ",") { index = scanner.skipBlanks(index + 1) }
        return index
    }

    /// Adds `__name__`.
    private mutating func addName(_ value: Range<Int>) {
        let start = unescaped.count
        unescaped.append(contentsOf: Label.metricName.utf8)
        let name = start..<unescaped.count
        fields.append((name, append(value)))
    }

    private mutating func add(_ name: Range<Int>, _ value: Range<Int>) {
        let name = append(name)
        if isNumber(name), let number = NumberText.parse(UnsafeRawBufferPointer(rebasing: scanner.bytes[value])) {
            let start = unescaped.count
            unescaped.append(contentsOf: NumberText.openMetrics(number).utf8)
            fields.append((name, start..<unescaped.count))
        } else {
            fields.append((name, append(value)))
        }
    }

    private mutating func append(_ range: Range<Int>) -> Range<Int> {
        let start = unescaped.count
        LabelReader.unescape(scanner.bytes, range, quotes: true, into: &unescaped)
        return start..<unescaped.count
    }

    private func isMetricName(_ name: Range<Int>) -> Bool { unescaped[name].elementsEqual(Label.metricName.utf8) }

    /// Whether a label of this name holds a number in a family of this kind.
    private func isNumber(_ name: Range<Int>) -> Bool {
        switch kind {
        case .histogram: unescaped[name].elementsEqual(Label.bucketBound.utf8)
        case .summary: unescaped[name].elementsEqual(Label.quantile.utf8)
        default: false
        }
    }

    private mutating func finish() throws(ExpositionError) -> Labels {
        // Sets are small and mostly in order, unless somebody means harm.
        if fields.count > 64 {
            let bytes = unescaped
            fields.sort { bytes[$0.name].lexicographicallyPrecedes(bytes[$1.name]) }
        }
        for position in fields.indices.dropFirst() {
            var index = position
            while index > 0, unescaped[fields[index].name].lexicographicallyPrecedes(unescaped[fields[index - 1].name])
            {
                fields.swapAt(index, index - 1)
                index -= 1
            }
        }
        for (a, b) in zip(fields, fields.dropFirst()) where unescaped[a.name].elementsEqual(unescaped[b.name]) {
            let name = String(decoding: unescaped[a.name], as: UTF8.self)
            throw scanner.error("label name \(GoQuote.quote(name)) is not unique: invalid sample")
        }
        for (name, value) in fields {
            guard !name.isEmpty, isUTF8(name), isUTF8(value) else {
                let text = GoQuote.quote(bytes: unescaped[name])
                throw scanner.error("invalid metric name or label names: \(text)")
            }
        }
        return Labels(bytes: unescaped, fields: fields)
    }

    private func isUTF8(_ range: Range<Int>) -> Bool {
        unescaped.withUnsafeBytes { UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

// MARK: - Escapes

extension LabelReader {
    /// Undoes `\\` and `\n`, and `\"` where quotes are escaped; other backslashes stay.
    static func unescape(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, quotes: Bool, into out: inout [UInt8]
    ) {
        let text = bytes[range.clamped(to: 0..<bytes.count)]
        guard text.contains(UInt8(ascii: "\\")) else {
            out.append(contentsOf: text)
            return
        }
        var iterator = text.makeIterator()
        var pending = iterator.next()
        while let byte = pending {
            pending = iterator.next()
            guard byte == UInt8(ascii: "\\"), let next = pending else {
                out.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "\\"): out.append(next)
            case UInt8(ascii: "n"): out.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\"") where quotes: out.append(next)
            default:
                out.append(byte)
                continue
            }
            pending = iterator.next()
        }
    }

    static func unescaped(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, quotes: Bool) -> String {
        var out: [UInt8] = []
        unescape(bytes, range, quotes: quotes, into: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
