import SeriesModel

/// Reads the text format as the tools do that check an exposition before anybody scrapes it: families are put
/// together, and what a scrape lets pass (a second `# TYPE`, a missing last newline, a negative bucket) is an error.
/// Errors are worded as those of `expfmt` in prometheus/common, whose reader promtool uses.
///
/// Any bytes are safe to read; the work is in proportion to them.
struct StrictTextParser {
    let bytes: [UInt8]
    let requiresLegacyNames: Bool
    var position = 0
    private(set) var line = 0
    private(set) var families: [StrictFamily] = []
    private var familyIndex: [[UInt8]: Int] = [:]
    /// Summaries and histograms, whose lines come one by one, by family and labels.
    private var compounds: [Compound: Int] = [:]

    private struct Compound: Hashable {
        var family: Int
        var labels: LabelSet
    }

    /// What a metric's name says of a line of a summary or histogram.
    enum Role {
        case plain, count, sum
    }

    struct Sample {
        /// Nil as long as the braces have not named the metric.
        var family: Int?
        var role = Role.plain
        var labels: [Label] = []
        /// `le` or `quantile`.
        var bound = Double.nan
        var isNamedInBraces = false
    }

    init(_ body: [UInt8], requiresLegacyNames: Bool = false) {
        bytes = body
        self.requiresLegacyNames = requiresLegacyNames
    }

    /// - Returns: the families that have samples, in the order of their first mention.
    mutating func parse() throws(ExpositionError) -> [StrictFamily] {
        while try takeLine() {}
        return families.filter { !$0.metrics.isEmpty }
    }

    private mutating func takeLine() throws(ExpositionError) -> Bool {
        line += 1
        skipBlanks()
        guard let first = current else { return false }
        switch first {
        case UInt8(ascii: "#"): try takeComment()
        case UInt8(ascii: "\n"): position += 1
        default: try takeSample()
        }
        return true
    }

    // MARK: - Comments

    private mutating func takeComment() throws(ExpositionError) {
        position += 1
        skipBlanks()
        if try takeNewline() { return }
        let keyword = try word()
        if try takeNewline() { return }
        let isHelp = keyword.elementsEqual("HELP".utf8)
        guard isHelp || keyword.elementsEqual("TYPE".utf8) else {
            _ = try restOfLine(undoesEscapes: false)
            return
        }
        skipBlanks()
        _ = try required()
        let name = try nameToken(.metric)
        if try takeNewline() { return }
        guard isBlank(try required()) else { throw error("invalid metric name in comment") }
        let (family, _) = try select(name)
        skipBlanks()
        if try takeNewline() { return }
        if isHelp { try takeHelp(family) } else { try takeType(family) }
    }

    private mutating func takeHelp(_ family: Int) throws(ExpositionError) {
        guard families[family].help == nil else {
            throw error("second HELP line for metric name " + GoQuote.quote(families[family].name))
        }
        families[family].help = String(decoding: try restOfLine(undoesEscapes: true), as: UTF8.self)
    }

    private mutating func takeType(_ family: Int) throws(ExpositionError) {
        guard families[family].kind == nil else {
            let name = GoQuote.quote(families[family].name)
            throw error("second TYPE line for metric name \(name), or TYPE reported after samples")
        }
        let start = position
        let lineNumber = line
        let text = try restOfLine(undoesEscapes: false)
        guard let kind = StrictFamily.Kind(rawValue: String(decoding: text, as: UTF8.self).lowercased()) else {
            let quoted = ExpositionError.quote(Array(bytes[start..<start + text.count]))
            throw ExpositionError(line: lineNumber, message: "unknown metric type " + quoted)
        }
        families[family].kind = kind
    }

    // MARK: - Samples

    private mutating func takeSample() throws(ExpositionError) {
        var sample = Sample()
        if current != UInt8(ascii: "{") {
            let name = try nameToken(.metric)
            // At the end of the input that is what is wrong.
            if !name.isEmpty { _ = try required() }
            guard !name.isEmpty else { throw error("invalid metric name") }
            (sample.family, sample.role) = try selectForSample(name)
            skipBlanks()
        } else {
            sample.isNamedInBraces = true
        }
        if try required() == UInt8(ascii: "{") {
            position += 1
            try takeLabels(&sample)
            skipBlanks()
            _ = try required()
        }
        guard let family = sample.family else { throw error("invalid metric name") }
        let metric = add(sample, to: family)
        try takeValue(of: sample, family, metric)
    }

    /// Which metric of its family a line belongs to.
    private mutating func add(_ sample: Sample, to family: Int) -> Int {
        let metric = families[family].metrics.count
        let kind = families[family].kind
        if kind == .summary || kind?.hasBuckets == true {
            let key = Compound(family: family, labels: LabelSet(sample.labels))
            if let known = compounds[key] { return known }
            compounds[key] = metric
        }
        families[family].metrics.append(StrictFamily.Metric(labels: sample.labels))
        return metric
    }

    private mutating func takeValue(of sample: Sample, _ family: Int, _ metric: Int) throws(ExpositionError) {
        let text = try word()
        guard let value = StrictTextParser.number(text) else {
            throw error("expected float as value, got " + ExpositionError.quote(text))
        }
        let kind = families[family].kind
        let isPart = sample.role == .plain && !sample.bound.isNaN
        if isPart { families[family].metrics[metric].partCount += 1 }
        if kind?.hasBuckets == true, value < 0 {
            let name = GoQuote.quote(families[family].name)
            if sample.role == .count { throw error("negative count for histogram " + name) }
            if isPart { throw error("negative bucket population for histogram " + name) }
        }
        if try takeNewline() { return }
        skipBlanks()
        let time = try word()
        guard Int64(String(decoding: time, as: UTF8.self)) != nil else {
            throw error("expected integer as timestamp, got " + ExpositionError.quote(time))
        }
        let lineNumber = line
        let rest = try restOfLine(undoesEscapes: false)
        guard rest.isEmpty else {
            throw ExpositionError(
                line: lineNumber, message: "spurious string after timestamp: " + ExpositionError.quote(rest))
        }
    }

    static func number(_ text: [UInt8]) -> Double? {
        guard !text.contains(where: { $0 | 0x20 == UInt8(ascii: "p") || $0 == UInt8(ascii: "_") }) else { return nil }
        return text.withUnsafeBytes { NumberText.parse($0) }
    }

    // MARK: - Families

    mutating func selectForSample(_ name: [UInt8]) throws(ExpositionError) -> (family: Int?, role: Role) {
        let (family, role) = try select(name)
        if families[family].kind == nil { families[family].kind = .untyped }
        return (family, role)
    }

    /// The family of a name, made where there is none: `x_count`, `x_sum` and `x_bucket` belong to a summary or
    /// histogram `x` that was declared before.
    private mutating func select(_ name: [UInt8]) throws(ExpositionError) -> (family: Int, role: Role) {
        let text = String(decoding: name, as: UTF8.self)
        guard UTF8Text.isValid(name), !name.isEmpty, !requiresLegacyNames || LabelName.isLegacyMetricName(text) else {
            throw error("invalid metric name " + ExpositionError.quote(name))
        }
        if let known = familyIndex[name] { return (known, .plain) }
        let suffixes: [(text: String, role: Role, needsBuckets: Bool)] = [
            ("_count", .count, false), ("_sum", .sum, false), ("_bucket", .plain, true),
        ]
        for (suffix, role, needsBuckets) in suffixes
        where name.count > suffix.utf8.count && name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
            guard let base = familyIndex[Array(name.dropLast(suffix.utf8.count))] else { continue }
            let kind = families[base].kind
            if kind?.hasBuckets == true || kind == .summary && !needsBuckets { return (base, role) }
        }
        families.append(StrictFamily(name: text))
        familyIndex[name] = families.count - 1
        return (families.count - 1, .plain)
    }
}

// MARK: - Bytes

extension StrictTextParser {
    enum NameKind: String {
        case metric, label
    }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The byte here. - Throws: at the end of the input, which must not be in the middle of a line.
    func required() throws(ExpositionError) -> UInt8 {
        guard let current else { throw error("unexpected end of input stream") }
        return current
    }

    func error(_ message: String) -> ExpositionError { ExpositionError(line: line, message: message) }

    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    mutating func skipBlanks() {
        while let byte = current, isBlank(byte) { position += 1 }
    }

    private mutating func takeNewline() throws(ExpositionError) -> Bool {
        guard try required() == UInt8(ascii: "\n") else { return false }
        position += 1
        return true
    }

    private mutating func word() throws(ExpositionError) -> [UInt8] {
        let start = position
        while true {
            let byte = try required()
            if isBlank(byte) || byte == UInt8(ascii: "\n") { return Array(bytes[start..<position]) }
            position += 1
        }
    }

    /// What is left of the line; its end is taken too.
    private mutating func restOfLine(undoesEscapes: Bool) throws(ExpositionError) -> [UInt8] {
        var text: [UInt8] = []
        while true {
            let byte = try required()
            position += 1
            if byte == UInt8(ascii: "\n") { return text }
            if undoesEscapes, byte == UInt8(ascii: "\\") {
                text.append(try escapedByte())
            } else {
                text.append(byte)
            }
        }
    }

    /// What a backslash that was just taken stands for.
    mutating func escapedByte() throws(ExpositionError) -> UInt8 {
        let byte = try required()
        position += 1
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return byte
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        default:
            throw error("invalid escape sequence '\\\(String(Unicode.Scalar(byte)))'")
        }
    }

    /// A name, in quotes where it holds more than the legacy alphabet; empty where none stands here.
    mutating func nameToken(_ kind: NameKind) throws(ExpositionError) -> [UInt8] {
        var token: [UInt8] = []
        while let byte = current, isNameByte(byte, kind, isFirst: token.isEmpty) {
            token.append(byte)
            position += 1
        }
        guard token.isEmpty, current == UInt8(ascii: "\"") else { return token }
        position += 1
        while true {
            let byte = try required()
            guard byte != UInt8(ascii: "\n") else {
                throw error("\(kind) name \(ExpositionError.quote(token)) contains unescaped new-line")
            }
            position += 1
            if byte == UInt8(ascii: "\"") { return token }
            token.append(byte == UInt8(ascii: "\\") ? try escapedByte() : byte)
        }
    }

    private func isNameByte(_ byte: UInt8, _ kind: NameKind, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
        case UInt8(ascii: ":"): kind == .metric
        default: false
        }
    }
}
