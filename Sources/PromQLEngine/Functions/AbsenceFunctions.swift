import PromQLSyntax
import SeriesModel

/// absent and absent_over_time.
enum AbsenceFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "absent", kernel: .vector(absent)),
        FunctionDefinition(name: "absent_over_time", kernel: .vector(absentOverTime)),
    ]

    private static func absent(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        var present = PresenceBitmap(count: grid.count)
        try evaluator.vector(plan.arguments[0], grid) { present.formUnion($0.column.anyPresent) }
        try pushMissing(present, labels(of: plan.expressions.first), sink)
    }

    private static func absentOverTime(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        guard case .range(let range)? = plan.arguments.first else { return }
        var present = PresenceBitmap(count: grid.count)
        try evaluator.eachRangeSeries(range, grid) { _, _, samples in
            for times in [samples.timestamps, samples.histogramTimestamps] where !times.isEmpty {
                times.withUnsafeBufferPointer { times in
                    var edges = WindowEdges()
                    for step in 0..<grid.count {
                        let end = range.reference(grid.time(step))
                        edges.advance(times, start: end &- range.width, end: end)
                        if edges.count > 0 { present.insert(step) }
                    }
                }
            }
        }
        try pushMissing(present, labels(of: plan.expressions.first), sink)
    }

    private static func pushMissing(_ present: PresenceBitmap, _ labels: LabelSet, _ sink: SeriesSink) throws {
        var column = Column(count: present.count)
        for step in 0..<present.count where !present.contains(step) { column.set(step, 1) }
        if !column.isEmpty { try sink(VectorSeries(labels: labels, column: column)) }
    }

    /// The labels that equality matchers of a selector fix, unless another matcher speaks of the same label.
    private static func labels(of expression: Expression?) -> LabelSet {
        let matchers: [LabelMatcher]
        switch expression?.unwrapped {
        case .vectorSelector(let node)?: matchers = node.matchers
        case .matrixSelector(let node)?: matchers = node.selector.matchers
        default: return .empty
        }
        var fixed: Set<String> = []
        var builder = LabelSetBuilder()
        for matcher in matchers where matcher.name != Label.metricName {
            if matcher.kind == .equal, !fixed.contains(matcher.name) {
                builder.set(matcher.name, matcher.value)
                fixed.insert(matcher.name)
            } else {
                builder.remove(matcher.name)
            }
        }
        return builder.build()
    }
}
