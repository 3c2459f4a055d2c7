import PromQLSyntax
import SeriesModel

/// Quantiles and fractions of classic histograms.
enum HistogramFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "histogram_quantile", kernel: .vector(quantile)),
        FunctionDefinition(name: "histogram_fraction", kernel: .vector(fraction)),
    ]

    private static func quantile(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        let ranks = try evaluator.scalar(plan.arguments[0], grid)
        for q in ranks where q.isNaN || q < 0 || q > 1 {
            evaluator.context.annotations.warn(Quantile.rangeWarning(q), at: plan.expressions[0].range)
        }
        var forced: [String: ClassicBuckets.Monotonicity] = [:]
        try eachHistogram(evaluator, plan.arguments[1], plan, grid, sink) { buckets, step, name in
            var buckets = buckets
            let result = ClassicBuckets.quantile(ranks[step], &buckets)
            if let change = result.forced {
                forced[name, default: ClassicBuckets.Monotonicity()].merge(change, at: grid.time(step))
            }
            return result.value
        }
        for (name, change) in forced {
            evaluator.context.annotations.info(change.text(name), at: plan.expressions[1].range)
        }
    }

    private static func fraction(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        let lower = try evaluator.scalar(plan.arguments[0], grid)
        let upper = try evaluator.scalar(plan.arguments[1], grid)
        try eachHistogram(evaluator, plan.arguments[2], plan, grid, sink) { buckets, step, _ in
            ClassicBuckets.fraction(lower[step], upper[step], buckets)
        }
    }

    private struct Group {
        var labels: LabelSet
        var dropsName: Bool
        var name: String
        var buckets: [(bound: Double, column: Column)] = []
    }

    /// Gathers the bucket series of each histogram, and computes one value from the buckets at each step.
    private static func eachHistogram(
        _ evaluator: Evaluator, _ operand: PlanNode, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink,
        _ compute: (ContiguousArray<ClassicBuckets.Bucket>, Int, String) -> Double
    ) throws {
        var groups: [LabelSet: Int] = [:]
        var ordered: [Group] = []
        let series = try evaluator.materialize(operand, grid)
        for one in series {
            let text = one.labels[Label.bucketBound] ?? ""
            guard let bound = NumberText.parse(text) else {
                evaluator.context.annotations.warn(
                    "bucket label \"le\" is missing or has a malformed value of \(GoQuote.quote(text))"
                        + nameSuffix(one.labels), at: plan.expressions.last?.range ?? plan.range)
                continue
            }
            let key = MetricIdentity.dropped(one.labels).dropping([Label.bucketBound])
            let index = groups[key] ?? ordered.count
            if index == ordered.count {
                groups[key] = index
                let isDelayed = evaluator.context.options.enablesDelayedNameRemoval
                let labels = isDelayed ? one.labels.dropping([Label.bucketBound]) : key
                ordered.append(Group(labels: labels, dropsName: isDelayed, name: one.labels.metricName ?? ""))
            }
            ordered[index].buckets.append((bound, one.column))
        }
        var buckets = ContiguousArray<ClassicBuckets.Bucket>()
        for group in ordered {
            try evaluator.context.check()
            var column = Column(count: grid.count)
            for step in 0..<grid.count {
                buckets.removeAll(keepingCapacity: true)
                for (bound, bucket) in group.buckets where bucket.present.contains(step) {
                    buckets.append(ClassicBuckets.Bucket(bound: bound, count: bucket.values[step]))
                }
                if !buckets.isEmpty { column.set(step, compute(buckets, step, group.name)) }
            }
            if column.present.isEmpty { continue }
            try sink(VectorSeries(labels: group.labels, dropsName: group.dropsName, column: column))
        }
        evaluator.release(series)
    }

    private static func nameSuffix(_ labels: LabelSet) -> String {
        labels.metricName.map { " for metric name \(GoQuote.quote($0))" } ?? ""
    }
}
