import TestSupport

extension ExpressionGenerator {
    /// A vector with a scalar.
    mutating func scalarOperation(_ depth: Int) -> String {
        let vector = wrapped(vector(depth))
        let scalar = wrapped(scalar(min(depth, 1)))
        let word: String
        switch random.below(10) {
        case ..<5: word = random.pick(Self.arithmetic)
        case ..<9: word = random.pick(Self.comparisons) + (random.chance(40) ? " bool" : "")
        // Trimming takes histograms on the left.
        default: return "\(vector) \(random.pick(["</", ">/"])) \(scalar)"
        }
        let (left, right) = random.chance(65) ? (vector, scalar) : (scalar, vector)
        return left + blank() + word + blank() + right
    }

    private mutating func operatorOfVectors() -> String {
        random.chance(60)
            ? random.pick(Self.arithmetic) : random.pick(Self.comparisons) + (random.chance(40) ? " bool" : "")
    }

    /// Two vectors. Random vectors seldom match one to one, so most sides are made for each other.
    mutating func vectorOperation(_ depth: Int) -> String {
        let word = operatorOfVectors()
        switch random.below(10) {
        case ..<3:
            let group = groupLabels()
            let on = random.chance(50) ? "" : blank() + keyword("on") + " (" + group + ")"
            return grouped(depth, group) + blank() + word + on + fill() + blank() + grouped(depth, group)
        case ..<6:
            let group = groupLabels()
            let taken = ["a", "job", "\"label with space\"", "new"].filter { !group.contains($0) }
            let include = "(" + random.some(taken, percent: 25).joined(separator: ", ") + ")"
            let many = wrapped(vector(depth))
            let one = grouped(depth, group)
            let isLeft = random.chance(60)
            let word =
                word + " \(keyword("on")) (\(group)) \(isLeft ? "group_left" : "group_right") " + include + fill()
            return (isLeft ? many : one) + " " + word + " " + (isLeft ? one : many)
        case ..<9:
            let name = random.pick(Self.plainMetrics)
            return "\(name) \(word)\(fill()) \(random.pick([name, random.pick(Self.plainMetrics)]))\(shift())"
        default:
            let matching = random.pick(["", " \(keyword("ignoring")) (\(groupLabels()))", " on (\(groupLabels()))"])
            return wrapped(vector(depth)) + blank() + word + matching + fill() + " " + wrapped(vector(depth))
        }
    }

    /// One series for each combination of the labels.
    private mutating func grouped(_ depth: Int, _ group: String) -> String {
        let operation = random.pick(["sum", "max", "min", "avg", "count", "group"])
        return aggregating { generator in
            "\(operation) by (\(group)) (\(generator.vector(max(0, depth - 1))))"
        }
    }

    private mutating func fill() -> String {
        guard random.chance(20) else { return "" }
        let value = random.pick(["0", "1", "-1", "NaN", "Inf", "-Inf", "2.5"])
        return " " + random.pick(["fill", "fill_left", "fill_right"]) + " (\(value))"
    }

    mutating func setOperation(_ depth: Int) -> String {
        let matching = random.pick(["", "", " on (\(groupLabels()))", " ignoring (\(groupLabels()))", " on ()"])
        let word = keyword(random.pick(["and", "or", "unless"]))
        return wrapped(vector(depth)) + blank() + word + matching + blank() + wrapped(vector(depth))
    }

    // MARK: Aggregations

    /// Everything inside is generated for an aggregation, which may need the order of the store.
    mutating func aggregating(_ body: (inout ExpressionGenerator) -> String) -> String {
        let outer = needsStoreOrder
        defer { needsStoreOrder = outer }
        needsStoreOrder = true
        return body(&self)
    }

    mutating func aggregation(_ depth: Int) -> String {
        let grouping: String
        switch random.below(6) {
        case 0, 1: grouping = ""
        case 2: grouping = keyword("without") + gap() + " (" + groupLabels() + ")"
        default: grouping = keyword("by") + gap() + " (" + groupLabels() + ")"
        }
        let parameter: String?
        let operation = random.pick([
            "sum", "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "quantile",
            "limitk", "limit_ratio", "count_values",
        ])
        switch operation {
        case "topk", "bottomk", "limitk": parameter = random.pick(["1", "2", "3", "0", "100", "-1", "1.5"])
        case "quantile": parameter = quantile()
        case "limit_ratio": parameter = random.pick(["0.5", "-0.5", "1", "-1", "0.1", "-0.9", "0"])
        case "count_values": parameter = random.pick(["\"v\"", "\"a\"", "\"value with space\""])
        default: parameter = nil
        }
        let operand = aggregating { $0.vector(depth) }
        let arguments = (parameter.map { $0 + "," + gap() + " " } ?? "") + operand
        let word = keyword(operation)
        if grouping.isEmpty { return "\(word)(\(arguments))" }
        return random.chance(75) ? "\(word) \(grouping) (\(arguments))" : "\(word)(\(arguments)) \(grouping)"
    }

    mutating func quantile() -> String {
        random.pick(["0.5", "0", "1", "0.9", "0.99", "-1", "2", "NaN", "(0.1 + 0.2)"])
    }

    mutating func groupLabels() -> String {
        let labels =
            random.some(["a", "b"], percent: 55) + random.some(["job", "le", "\"label with space\""], percent: 12)
        return labels.joined(separator: ", ")
    }
}
