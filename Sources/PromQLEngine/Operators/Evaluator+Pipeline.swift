import PromQLSyntax
import SeriesModel
import StorageAPI

extension Evaluator {
    /// Samples that a run should have: enough to be worth handing to another thread.
    private static let runSamples = 65_536
    private static let runSeriesMax = 256
    /// What is assumed of the distance between samples, ms.
    private static let sampleDistance: Int64 = 15_000

    /// The longest chain that ends at a node.
    func pipeline(_ node: PlanNode, _ grid: Grid) throws -> SeriesPipeline {
        var stages: [PipelineStage] = []
        var node = node
        while let (stage, operand) = try stage(node, grid) {
            stages.append(stage)
            node = operand
        }
        stages.reverse()
        return SeriesPipeline(source: try source(node, grid), stages: stages)
    }

    private func stage(_ node: PlanNode, _ grid: Grid) throws -> (PipelineStage, operand: PlanNode)? {
        switch node {
        case .negate(let plan) where !plan.isScalar:
            return (PipelineStage(id: plan.id, operation: .negate, dropsName: true), plan.operand)
        case .call(let plan):
            guard case .map(let kernel) = plan.function.kernel, let operand = plan.arguments.first else { return nil }
            let parameters = try plan.arguments.dropFirst().map { try scalar($0, grid) }
            return (
                PipelineStage(id: plan.id, operation: .map(kernel, parameters), dropsName: true), operand
            )
        case .binary(let plan) where plan.isLeftScalar != plan.isRightScalar:
            let scalars = try scalar(plan.isLeftScalar ? plan.left : plan.right, grid)
            return (
                PipelineStage(
                    id: plan.id, operation: .scalar(plan, scalars, scalarIsLeft: plan.isLeftScalar),
                    dropsName: plan.operation.changesSchema || plan.returnsBool),
                plan.isLeftScalar ? plan.right : plan.left
            )
        default: return nil
        }
    }

    private func source(_ node: PlanNode, _ grid: Grid) throws -> SeriesPipeline.Source {
        switch node {
        case .selector(let plan): return .selector(plan)
        case .call(let plan):
            if case .window = plan.function.kernel, let range = plan.rangeArgument,
                case .selector(let selector) = range.source
            {
                return .windows(plan, range, selector, parameters: try rangeParameters(plan, grid))
            }
        default: break
        }
        return .node(node)
    }

    func run(_ pipeline: SeriesPipeline, _ grid: Grid, _ sink: SeriesSink) throws {
        if pipeline.selector == nil { return try runStages(pipeline, grid, sink) }
        try run(pipeline, grid, order: nil) { series, _ in try sink(series) }
    }

    /// - Parameters:
    ///   - order: the series of the selection, as indexes, in the order they are wanted; nil for the selection's own.
    ///   - body: gets each series with its place in that order.
    func run(
        _ pipeline: SeriesPipeline, _ grid: Grid, order: [Int32]?, _ body: (VectorSeries, Int) throws -> Void
    ) throws {
        guard let selector = pipeline.selector else { return }
        if pipeline.needsDuplicateGuards(context.options) {
            var guards = [DuplicateGuard](repeating: DuplicateGuard(), count: pipeline.stages.count + 1)
            return try runSerially(pipeline, grid, order, body) { (series, number) throws(QueryError) in
                try guards[number].check(series)
            }
        }
        let count = sets[selector.selection].count
        let length = runLength(selector, grid)
        guard let helpers, helpers.count > 0, count > length else {
            return try runSerially(pipeline, grid, order, body) { (_, _) throws(QueryError) in }
        }
        let (options, query, budget, lookback) = (context.options, context.query, context.budget, lookbackDelta)
        let nodeCount = context.profile?.nodeCount
        let parallel = ParallelRun(pipeline, sets, grid, order, seriesCount: count, runLength: length) {
            EvaluationContext(
                options: options, query: query, budget: budget, lookbackDelta: lookback,
                profile: nodeCount.map { PlanProfile(count: $0) })
        }
        let pool = helpers.pool
        for _ in 0..<min(helpers.count, (count - 1) / length) {
            pool.submit(.help) { parallel.help { pool.hasWaiting } }
        }
        try parallel.consume(context, body)
    }

    /// How many series make a run. It does not depend on the number of threads.
    private func runLength(_ selector: SelectorPlan, _ grid: Grid) -> Int {
        let span = (grid.end &- grid.start &+ selector.width) / Evaluator.sampleDistance
        let samples = max(1, Int(clamping: span), grid.count)
        return max(1, min(Evaluator.runSeriesMax, Evaluator.runSamples / samples))
    }

    private func runSerially(
        _ pipeline: SeriesPipeline, _ grid: Grid, _ order: [Int32]?, _ body: (VectorSeries, Int) throws -> Void,
        check: (VectorSeries, Int) throws(QueryError) -> Void
    ) throws {
        guard var worker = PipelineWorker(pipeline, sets, grid, context) else { return }
        for position in 0..<worker.seriesCount {
            let index = order.map { Int($0[position]) } ?? position
            guard let series = try worker.series(index, check: check) else { continue }
            try body(series, position)
        }
        worker.finish()
    }

    /// The chain behind something else.
    private func runStages(_ pipeline: SeriesPipeline, _ grid: Grid, _ sink: SeriesSink) throws {
        guard case .node(let node) = pipeline.source else { return }
        var guards = [DuplicateGuard](repeating: DuplicateGuard(), count: pipeline.stages.count)
        try vector(node, grid) { series in
            var series = series
            for (number, stage) in pipeline.stages.enumerated() {
                context.profile?.enter(stage.id)
                guard stage.apply(&series, context) else { return }
                if stage.dropsName { try guards[number].check(series) }
                if number + 1 < pipeline.stages.count {
                    context.profile?.count(stage.id, series: 1, samples: series.column.pointCount)
                }
            }
            try sink(series)
        }
    }
}

/// Threads that may help with a query.
struct QueryHelpers {
    let pool: QueryPool
    /// How many, besides the query's own.
    let count: Int
}
