import PromQLSyntax
import SeriesModel

/// Quantiles and fractions of histograms, classic and native.
enum QuantileFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "histogram_quantile", kernel: .vector(quantile)),
        FunctionDefinition(name: "histogram_quantiles", kernel: .vector(quantiles)),
        FunctionDefinition(name: "histogram_fraction", kernel: .vector(fraction)),
    ]

    private static func quantile(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let ranks = try evaluator.scalar(plan.arguments[0], grid)
        warn(ranks, plan.expressions[0].range, evaluator.context)
        let vector = try HistogramVector(evaluator, plan.arguments[1], at: plan.expressions[1].range, grid)
        try vector.push(quantile: ranks, label: nil, sink)
        vector.finish()
    }

    private static func quantiles(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let label = try evaluator.string(plan.arguments[1])
        guard LabelName.isValid(label) else { throw QueryError.execution("invalid label name \(GoQuote.quote(label))") }
        let vector = try HistogramVector(evaluator, plan.arguments[0], at: plan.expressions[0].range, grid)
        for index in plan.arguments.indices.dropFirst(2) {
            let ranks = try evaluator.scalar(plan.arguments[index], grid)
            warn(ranks, plan.expressions[index].range, evaluator.context)
            try vector.push(quantile: ranks, label: label, sink)
        }
        vector.finish()
    }

    private static func fraction(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let lower = try evaluator.scalar(plan.arguments[0], grid)
        let upper = try evaluator.scalar(plan.arguments[1], grid)
        let vector = try HistogramVector(evaluator, plan.arguments[2], at: plan.expressions[2].range, grid)
        try vector.push(fractionFrom: lower, to: upper, sink)
        vector.finish()
    }

    private static func warn(_ ranks: [Double], _ range: SourceRange, _ context: EvaluationContext) {
        for q in ranks where Quantile.isOutOfRange(q) {
            context.annotations.warn(Quantile.rangeWarning(q), at: range)
        }
    }
}
