import SeriesModel

extension StrictTextParser {
    /// Reads from behind the opening brace to behind the closing one.
    mutating func takeLabels(_ sample: inout Sample) throws(ExpositionError) {
        var names: Set<[UInt8]> = []
        while true {
            skipBlanks()
            if try required() == UInt8(ascii: "}") {
                position += 1
                return
            }
            let name = try nameToken(.label)
            _ = try required()
            let family = sample.family.map { families[$0].name } ?? ""
            guard !name.isEmpty else { throw error("invalid label name for metric " + GoQuote.quote(family)) }
            skipBlanks()
            let next = try required()
            guard next == UInt8(ascii: "=") else {
                try takeName(name, before: next, &sample)
                if next == UInt8(ascii: "}") { return }
                continue
            }
            position += 1
            try takeLabel(name, &sample, &names)
            skipBlanks()
            switch try required() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return
            default:
                let value = sample.labels.last?.value ?? ""
                throw error("unexpected end of label value " + GoQuote.quote(value))
            }
        }
    }

    /// A word without a value is the metric's name, where that does not stand before the braces.
    private mutating func takeName(
        _ name: [UInt8], before next: UInt8, _ sample: inout Sample
    ) throws(ExpositionError) {
        let shown = GoQuote.quoteByte(next)
        guard sample.isNamedInBraces else { throw error("expected '=' after label name, found " + shown) }
        if let family = sample.family {
            throw error("multiple metric names for metric " + GoQuote.quote(families[family].name))
        }
        guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else {
            throw error("unexpected end of metric name " + shown)
        }
        (sample.family, sample.role) = try selectForSample(name)
        position += 1
    }

    private mutating func takeLabel(
        _ nameBytes: [UInt8], _ sample: inout Sample, _ names: inout Set<[UInt8]>
    ) throws(ExpositionError) {
        let name = String(decoding: nameBytes, as: UTF8.self)
        guard !name.hasSameBytes(as: Label.metricName) else {
            throw error("label name \(GoQuote.quote(name)) is reserved")
        }
        guard UTF8Text.isValid(nameBytes), !requiresLegacyNames || LabelName.isLegacyLabelName(name) else {
            throw error("invalid label name " + ExpositionError.quote(nameBytes))
        }
        let kind = sample.family.flatMap { families[$0].kind }
        let isBucket = kind?.hasBuckets == true && name.hasSameBytes(as: Label.bucketBound)
        let isQuantile = kind == .summary && name.hasSameBytes(as: Label.quantile)
        if !isBucket, !isQuantile, !names.insert(nameBytes).inserted {
            let family = sample.family.map { families[$0].name } ?? ""
            throw error("duplicate label names for metric " + GoQuote.quote(family))
        }
        let value = try labelValue()
        guard UTF8Text.isValid(value) else { throw error("invalid label value " + ExpositionError.quote(value)) }
        guard isBucket || isQuantile else {
            sample.labels.append(Label(name, String(decoding: value, as: UTF8.self)))
            return
        }
        guard let bound = StrictTextParser.number(value) else {
            throw error("expected float as value for '\(name)' label, got " + ExpositionError.quote(value))
        }
        sample.bound = bound
    }

    private mutating func labelValue() throws(ExpositionError) -> [UInt8] {
        skipBlanks()
        let quote = try required()
        guard quote == UInt8(ascii: "\"") else {
            throw error("expected '\"' at start of label value, found " + GoQuote.quoteByte(quote))
        }
        position += 1
        var value: [UInt8] = []
        while true {
            let byte = try required()
            guard byte != UInt8(ascii: "\n") else {
                throw error("label value \(ExpositionError.quote(value)) contains unescaped new-line")
            }
            position += 1
            if byte == UInt8(ascii: "\"") { return value }
            value.append(byte == UInt8(ascii: "\\") ? try escapedByte() : byte)
        }
    }
}

extension ExpositionError {
    static func quote(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { quote($0, 0..<$0.count) } }
}

extension GoQuote {
    /// One byte as a character, in single quotes.
    fileprivate static func quoteByte(_ byte: UInt8) -> String {
        if byte == UInt8(ascii: "'") { return "'\\''" }
        return byte == UInt8(ascii: "\"") ? "'\"'" : "'" + escaped(String(Unicode.Scalar(byte))) + "'"
    }
}
