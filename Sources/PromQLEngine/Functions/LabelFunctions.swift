import PromQLSyntax
import Regexp
import SeriesModel

/// Functions that change labels.
enum LabelFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "label_replace", dropsName: false, kernel: .vector(replace)),
        FunctionDefinition(name: "label_join", dropsName: false, kernel: .vector(join)),
    ]

    private static func replace(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        let destination = try evaluator.string(plan.arguments[1])
        let template = try evaluator.string(plan.arguments[2])
        let source = try evaluator.string(plan.arguments[3])
        let expression = try evaluator.string(plan.arguments[4])
        let pattern: Pattern
        do {
            pattern = try Pattern(expression)
        } catch {
            throw QueryError.execution("invalid regular expression in label_replace(): \(expression)")
        }
        guard LabelName.isValid(destination) else {
            throw QueryError.execution("invalid destination label name in label_replace(): \(destination)")
        }
        try relabel(evaluator, plan, grid, destination, sink) { labels in
            pattern.expand(template, in: labels[source] ?? "")
        }
    }

    private static func join(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        let destination = try evaluator.string(plan.arguments[1])
        let separator = try evaluator.string(plan.arguments[2])
        let sources = try plan.arguments.dropFirst(3).map { try evaluator.string($0) }
        for source in sources where !LabelName.isValid(source) {
            throw QueryError.execution("invalid source label name in label_join(): \(source)")
        }
        guard LabelName.isValid(destination) else {
            throw QueryError.execution("invalid destination label name in label_join(): \(destination)")
        }
        try relabel(evaluator, plan, grid, destination, sink) { labels in
            sources.map { labels[$0] ?? "" }.joined(separator: separator)
        }
    }

    /// - Parameter value: the label's new value, nil to leave the series as it is.
    private static func relabel(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ destination: String, _ sink: SeriesSink,
        _ value: (LabelSet) -> String?
    ) throws {
        var guardian = DuplicateGuard(checksDelayed: true)
        try evaluator.vector(plan.arguments[0], grid) { series in
            var series = series
            if let value = value(series.labels) {
                series.labels = series.labels.setting(destination, value)
                // A name that was just given is not dropped at the end.
                if destination == Label.metricName { series.dropsName = false }
            }
            try guardian.check(series)
            try sink(series)
        }
    }
}
