import SeriesModel
import TestSupport

extension ExpressionGenerator {
    /// Metrics with the labels `a` and `b`.
    static let plainMetrics = ["m", "n", "c_total", "big"]
    static let histogramMetrics = ["h", "custom", "mixed"]
    static let labels = ["a", "b", "job", "instance", "le", "version", "label with space"]

    private mutating func metric() -> String {
        switch random.below(20) {
        case ..<12: return random.pick(Self.plainMetrics)
        case ..<15 where options.usesHistograms: return random.pick(Self.histogramMetrics)
        case ..<17: return "latency_bucket"
        case 17: return random.pick(["target_info", "nothing", "job:m:sum"])
        case 18: return "{\"utf8.metric\"}"
        default: return "{__name__=~\"m|c_total\"}"
        }
    }

    /// Name and conditions, without modifiers.
    private mutating func selector() -> String {
        let metric = metric()
        guard random.chance(35) else { return metric }
        let conditions = (0..<1 + random.below(2)).map { _ in condition() }.joined(separator: "," + gap())
        if metric.hasPrefix("{") { return metric.dropLast() + ", " + conditions + "}" }
        return metric + gap() + "{" + gap() + conditions + (random.chance(10) ? "," : "") + "}"
    }

    private mutating func condition() -> String {
        let label = random.pick(["a", "a", "b", "b", "job", "\"label with space\"", "absent"])
        let kind = random.pick(["=", "!=", "=~", "!~"])
        let isPattern = kind.hasSuffix("~")
        let value =
            isPattern
            ? random.pick(["1|2", ".*", ".+", "[^1]", "", "x.*", "(?i:API)"])
            : random.pick(["1", "2", "3", "api", "x y", ""])
        let quote = random.pick(["\"", "'", "`"])
        return label + gap() + kind + gap() + quote + value + quote
    }

    mutating func instantSelector() -> String {
        let smoothed = random.chance(3) ? random.pick([" smoothed", " anchored"]) : ""
        return selector() + (options.usesQueryBounds || smoothed.isEmpty ? smoothed : " smoothed") + shift()
    }

    /// `offset` and `@`, in either order, most often none.
    mutating func shift() -> String {
        var parts: [String] = []
        if random.chance(14) { parts.append(keyword("offset") + blank() + offset()) }
        if random.chance(8) { parts.append("@" + gap() + " " + at()) }
        if random.chance(50) { parts.reverse() }
        return parts.map { blank() + $0 }.joined()
    }

    private mutating func at() -> String {
        if options.usesQueryBounds, random.chance(30) { return random.pick(["start()", "end()"]) }
        let time = Int64.random(in: options.times, using: &random)
        return NumberText.fixed(Double(time) / 1000, digits: 3)
    }

    // MARK: Ranges

    /// A range vector: samples of a selector, or a subquery.
    /// - Parameter function: what it is for; some stretch their windows.
    mutating func range(_ depth: Int, of function: String = "") -> String {
        if depth > 0, random.chance(25) { return subquery(depth - 1) }
        var text = selector() + gap() + "[" + duration() + "]"
        let isStretchable = ["changes", "delta", "increase", "rate", "resets"].contains(function)
        if isStretchable, random.chance(20) {
            text +=
                " " + (["changes", "resets"].contains(function) ? "anchored" : random.pick(["anchored", "smoothed"]))
        }
        return text + shift()
    }

    private mutating func subquery(_ depth: Int) -> String {
        // Subqueries of one series a label set are in the order of their labels, whatever is inside.
        let outer = needsStoreOrder
        defer { needsStoreOrder = outer }
        let inner = wrapped(vector(depth))
        let step = random.chance(30) ? "" : subqueryStep()
        return inner + "[" + duration() + ":" + step + "]" + shift()
    }

    // MARK: Durations

    /// Greater than zero.
    mutating func duration() -> String {
        switch random.below(20) {
        case ..<15: return length(1 + random.below(20))
        case 15: return "\(length(2)) + \(length(1 + random.below(9)))"
        case 16: return "max_of(\(length(1 + random.below(4))), \(length(3)))"
        case 17: return "(\(length(6)) - \(length(1 + random.below(4)))) * 2"
        case 18 where options.usesQueryBounds:
            return random.pick(["max_of(step(), \(length(1)))", "\(length(3)) + range()"])
        default: return String(options.unit / 1000 * Int64(1 + random.below(9))) + random.pick(["", ".5", "e0"])
        }
    }

    private mutating func subqueryStep() -> String {
        if options.usesQueryBounds, random.chance(8) { return "\(length(1)) + step()" }
        return length(1 + random.below(5))
    }

    private mutating func offset() -> String {
        switch random.below(10) {
        case ..<6: return length(1 + random.below(12))
        case 6: return "-" + length(1 + random.below(12))
        case 7: return "(\(length(4)) - \(length(1 + random.below(9))))"
        case 8 where options.usesQueryBounds:
            return random.pick(["step()", "-step()", "min_of(range(), \(length(4)))"])
        default: return String(options.unit / 1000)
        }
    }

    /// So many halves of the unit.
    private func length(_ halves: Int) -> String { DurationText.format(options.unit / 2 * Int64(halves)) }
}
