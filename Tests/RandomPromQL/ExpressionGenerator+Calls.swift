import PromQLSyntax
import TestSupport

extension ExpressionGenerator {
    /// Functions that give a vector, those of ranges more often, as in dashboards.
    private static let vectorFunctions: [FunctionSignature] = {
        let all = FunctionSignature.all.filter { $0.returnType == .vector }
        return all + all.filter { $0.argumentTypes.contains(.matrix) }
    }()

    mutating func vectorCall(_ depth: Int) -> String {
        let function = random.pick(Self.vectorFunctions)
        if !options.usesUnorderedOperands {
            // `info` finds series in an order of its own.
            if function.name == "info", needsStoreOrder { return instantSelector() }
            // An instant query sorts, and leaves histograms out; a range query does neither.
            if function.name.hasPrefix("sort") { return instantSelector() }
        }
        return function.name + gap() + "(" + arguments(function, depth).joined(separator: "," + blank()) + gap() + ")"
    }

    private mutating func arguments(_ function: FunctionSignature, _ depth: Int) -> [String] {
        switch function.name {
        case "label_replace": return labelReplacement(depth)
        case "label_join":
            let sources = (0..<random.below(4)).map { _ in quoted(random.pick(Self.labels)) }
            return [vector(depth), quoted(random.pick(Self.labels + ["new"])), random.pick(["\"-\"", "\"\""])] + sources
        case "sort_by_label", "sort_by_label_desc":
            return [vector(depth)] + (0..<1 + random.below(2)).map { _ in quoted(random.pick(Self.labels)) }
        case "histogram_quantiles":
            let quantiles = (0..<1 + random.below(3)).map { _ in quantile() }
            return [histograms(depth), random.pick(["\"q\"", "\"le\"", "\"a\""])] + quantiles
        case "histogram_quantile": return [quantile(), histograms(depth)]
        case "histogram_fraction":
            return [
                random.pick(["0", "0.5", "(-Inf)", "NaN"]), random.pick(["1", "Inf", "0.5", "0"]), histograms(depth),
            ]
        case "info":
            let selector = random.pick([
                "{version=~\".+\"}", "{__name__=\"target_info\"}", "{__name__=~\".*_info\", version=\"1\"}",
            ])
            return [vector(depth)] + (random.chance(60) ? [selector] : [])
        case "double_exponential_smoothing":
            return [range(depth)] + (0..<2).map { _ in random.pick(["0.1", "0.5", "0.9", "0.3", "1", "0"]) }
        case "quantile_over_time": return [quantile(), range(depth)]
        case _ where function.name.hasPrefix("histogram_"): return [histograms(depth)]
        default: return argumentsByType(function, depth)
        }
    }

    private mutating func argumentsByType(_ function: FunctionSignature, _ depth: Int) -> [String] {
        let least = function.argumentTypes.count - (function.variadic == 0 ? 0 : 1)
        let most = function.variadic > 0 ? least + function.variadic : least
        let count = least + (most > least ? random.below(most - least + 1) : 0)
        return (0..<count).map { index in
            switch function.argumentTypes[min(index, function.argumentTypes.count - 1)] {
            case .matrix: range(depth, of: function.name)
            case .scalar: scalar(min(depth, 1))
            case .string: string()
            case .vector, .none: vector(depth)
            }
        }
    }

    private mutating func labelReplacement(_ depth: Int) -> [String] {
        [
            vector(depth), quoted(random.pick(Self.labels + ["new", "__name__"])),
            random.pick(["\"$1\"", "\"x\"", "\"\"", "\"${1}-$2\"", "\"$0\""]), quoted(random.pick(Self.labels)),
            random.pick(["\"(.*)\"", "\"(.)(.?)\"", "\"[12]\"", "\"none\"", "\"\""]),
        ]
    }

    /// Something that functions of histograms have a use for.
    private mutating func histograms(_ depth: Int) -> String {
        switch random.below(10) {
        case ..<3 where options.usesHistograms: return random.pick(Self.histogramMetrics)
        case ..<5 where options.usesHistograms:
            return random.pick(["rate", "increase", "sum_over_time", "delta"])
                + "(\(random.pick(Self.histogramMetrics))[\(duration())])"
        case ..<7: return "latency_bucket"
        case ..<8: return "rate(latency_bucket[\(duration())])"
        default: return vector(depth)
        }
    }

    private func quoted(_ text: String) -> String { "\"" + text + "\"" }
}
