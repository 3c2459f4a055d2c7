import SeriesModel

/// What is wrong with metrics beyond their syntax: names, help texts, units. The rules and their words are those of
/// `promlint` in client_golang, which `promtool check metrics` applies.
package struct MetricLint {
    package struct Problem: Hashable, Sendable {
        package let metric: String
        package let text: String
    }

    private let families: [StrictFamily]

    /// - Parameter requiresLegacyNames: refuse names beyond the legacy alphabet.
    /// - Throws: where the body is not in the text format.
    package init(_ body: [UInt8], requiresLegacyNames: Bool = false) throws(ExpositionError) {
        var parser = StrictTextParser(body, requiresLegacyNames: requiresLegacyNames)
        families = try parser.parse()
    }

    /// Sorted by metric and text. A label or pair of series that offends repeats its problem each time.
    package var problems: [Problem] {
        var problems: [Problem] = []
        for family in families {
            for text in MetricLint.problems(of: family) { problems.append(Problem(metric: family.name, text: text)) }
        }
        return problems.sorted {
            $0.metric.hasSameBytes(as: $1.metric)
                ? $0.text.precedesByBytes($1.text) : $0.metric.precedesByBytes($1.metric)
        }
    }

    private static func problems(of family: StrictFamily) -> [String] {
        let kind = family.kind ?? .untyped
        var problems: [String] = []
        if family.help == nil { problems.append("no help text") }
        if let unit = MetricUnit(in: family.name), unit.name != unit.base {
            problems.append("use base unit \(GoQuote.quote(unit.base)) instead of \(GoQuote.quote(unit.name))")
        }
        if kind != .untyped { problems += suffixProblems(family.name, kind) + reservedLabelProblems(family, kind) }
        let lowercased = family.name.lowercased()
        if kind != .untyped, has("_" + kind.rawValue, asWordIn: lowercased) {
            problems.append("metric name should not include type '\(kind.rawValue)'")
        }
        if family.name.utf8.contains(UInt8(ascii: ":")) { problems.append("metric names should not contain ':'") }
        if isCamelCase(family.name) {
            problems.append("metric names should be written in 'snake_case' not 'camelCase'")
        }
        for label in family.metrics.lazy.flatMap(\.labels) where isCamelCase(label.name) {
            problems.append("label names should be written in 'snake_case' not 'camelCase'")
        }
        for unit in MetricUnit.abbreviations where has("_" + unit, asWordIn: lowercased) {
            problems.append("metric names should not contain abbreviated units")
        }
        return problems + duplicateProblems(family)
    }

    private static func suffixProblems(_ name: String, _ kind: StrictFamily.Kind) -> [String] {
        var problems: [String] = []
        if kind == .counter, !name.hasByteSuffix("_total") {
            problems.append("counter metrics should have \"_total\" suffix")
        }
        let isCompound = kind.hasBuckets || kind == .summary
        let misplaced = [
            (kind != .counter, "non-counter", "_total"),
            (kind != .gauge, "non-gauge", "_timestamp_seconds"),
            (!kind.hasBuckets, "non-histogram", "_bucket"),
            (!isCompound, "non-histogram and non-summary", "_count"),
            (!isCompound, "non-histogram and non-summary", "_sum"),
        ]
        for (isWrong, kinds, suffix) in misplaced where isWrong && name.hasByteSuffix(suffix) {
            problems.append("\(kinds) metrics should not have \"\(suffix)\" suffix")
        }
        return problems
    }

    private static func reservedLabelProblems(_ family: StrictFamily, _ kind: StrictFamily.Kind) -> [String] {
        var problems: [String] = []
        for label in family.metrics.lazy.flatMap(\.labels) {
            if !kind.hasBuckets, label.name.hasSameBytes(as: Label.bucketBound) {
                problems.append("non-histogram metrics should not have \"le\" label")
            }
            if kind != .summary, label.name.hasSameBytes(as: Label.quantile) {
                problems.append("non-summary metrics should not have \"quantile\" label")
            }
        }
        return problems
    }

    /// One for every pair of equal series, as promlint counts them; beyond a thousand nobody counts.
    private static func duplicateProblems(_ family: StrictFamily) -> [String] {
        var counts: [[Label]: Int] = [:]
        var pairs = 0
        for metric in family.metrics {
            let before = counts[metric.labels, default: 0]
            pairs += before
            counts[metric.labels] = before + 1
            if pairs >= 1000 { break }
        }
        return [String](repeating: "metric not unique", count: min(pairs, 1000))
    }

    private static func has(_ word: String, asWordIn name: String) -> Bool {
        name.hasByteSuffix(word) || name.contains(word + "_")
    }

    private static func isCamelCase(_ name: String) -> Bool {
        zip(name.utf8, name.utf8.dropFirst()).contains { first, second in
            first &- UInt8(ascii: "a") < 26 && second &- UInt8(ascii: "A") < 26
        }
    }
}

// MARK: - Cardinality

extension MetricLint {
    package struct Cardinality: Hashable, Sendable {
        package let metric: String
        /// Series.
        package let count: Int
        /// Of all series, from 0 to 1.
        package let share: Double
    }

    /// How many series each family has, most first. Summaries and histograms count as promtool does: what the first of
    /// them has is taken for all.
    package var cardinalities: [Cardinality] {
        let counts = families.map { family in
            let kind = family.kind ?? .untyped
            let isCompound = kind.hasBuckets || kind == .summary
            let perMetric = isCompound ? 2 + (family.metrics.first?.partCount ?? 0) : 1
            return (family.name, family.metrics.count * perMetric)
        }
        let total = counts.reduce(0) { $0 + $1.1 }
        return counts.map { Cardinality(metric: $0.0, count: $0.1, share: Double($0.1) / Double(max(total, 1))) }
            .sorted { $0.count == $1.count ? $0.metric.precedesByBytes($1.metric) : $0.count > $1.count }
    }
}

extension String {
    fileprivate func hasByteSuffix(_ suffix: String) -> Bool {
        utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
