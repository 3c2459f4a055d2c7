import PromQLSyntax
import SeriesModel
import StorageAPI

/// A chain of operators that makes at most one series of each series it is given, without knowing of the others:
/// `abs(rate(x[5m])) * 100`. Such a chain can be run on any thread, for any series, in any order.
struct SeriesPipeline: Sendable {
    enum Source: Sendable {
        /// The newest sample at each step.
        case selector(SelectorPlan)
        /// A function of the windows of a range selector.
        case windows(CallPlan, RangePlan, SelectorPlan, parameters: [[Double]])
        /// What is no part of a chain.
        case node(PlanNode)
    }

    var source: Source
    /// In the order they are applied.
    var stages: [PipelineStage] = []

    /// The selector whose series go through.
    var selector: SelectorPlan? {
        switch source {
        case .selector(let plan), .windows(_, _, let plan, _): plan
        case .node: nil
        }
    }

    /// The node whose result the source is.
    var sourceID: Int? {
        switch source {
        case .selector(let plan): plan.id
        case .windows(let call, _, _, _): call.id
        case .node: nil
        }
    }

    /// Whether the source takes the metric name off.
    var sourceDropsName: Bool {
        if case .windows(let call, _, _, _) = source { return call.function.dropsName }
        return false
    }

    /// Whether what comes out has lost its metric name.
    func dropsName(_ options: EngineOptions) -> Bool {
        !options.enablesDelayedNameRemoval && (sourceDropsName || stages.contains(where: \.dropsName))
    }

    /// Whether series may become the same when their names go. Series of one metric do not.
    func needsDuplicateGuards(_ options: EngineOptions) -> Bool {
        // With delayed removal the names are still there.
        if options.enablesDelayedNameRemoval { return false }
        guard let selector, !options.enablesTypeAndUnitLabels else { return true }
        return !selector.pinsMetric
    }
}

extension SelectorPlan {
    /// Whether all series selected are of one metric.
    var pinsMetric: Bool {
        matchers.contains { $0.kind == .equal && !$0.value.isEmpty && $0.name.hasSameBytes(as: Label.metricName) }
    }
}

/// One operator of a chain.
struct PipelineStage: Sendable {
    enum Operation: Sendable {
        case negate
        /// A function of each value by itself, with its parameters for each step.
        case map(MapKernel, [[Double]])
        /// A binary operator with a scalar for each step on one side.
        case scalar(BinaryPlan, [Double], scalarIsLeft: Bool)
    }

    let id: Int
    let operation: Operation
    let dropsName: Bool

    /// - Returns: whether anything is left of the series.
    func apply(_ series: inout VectorSeries, _ context: EvaluationContext) -> Bool {
        switch operation {
        case .negate: PipelineStage.negate(&series.column)
        case .map(let kernel, let parameters):
            if series.column.present.isEmpty { return false }
            series.column.histograms = nil
            kernel(&series.column, parameters)
            if series.column.isEmpty { return false }
        case .scalar(let plan, let scalars, let isLeft):
            ScalarCombination(plan, context).apply(&series.column, scalars, scalarIsLeft: isLeft)
            if series.column.isEmpty { return false }
        }
        if dropsName { context.dropName(&series) }
        return true
    }

    private static func negate(_ column: inout Column) {
        for index in column.values.indices { column.values[index] = -column.values[index] }
        column.histograms?.forEach { step, histogram in
            var histogram = histogram
            histogram.multiply(by: -1)
            column.set(step, histogram)
        }
    }
}

/// A binary operator between a column and a scalar for each step.
struct ScalarCombination {
    private let operation: PointOperation

    init(_ plan: BinaryPlan, _ context: EvaluationContext) { operation = PointOperation(plan, context) }

    func apply(_ column: inout Column, _ scalars: [Double], scalarIsLeft: Bool) {
        if column.histograms == nil, operation.isDefinedForFloats {
            applyToFloats(&column, scalars, scalarIsLeft: scalarIsLeft)
        } else {
            applyToPoints(&column, scalars, scalarIsLeft: scalarIsLeft)
        }
    }

    /// Absent lanes are computed too: their values mean nothing.
    private func applyToFloats(_ column: inout Column, _ scalars: [Double], scalarIsLeft: Bool) {
        let scalar = operation.scalar
        if operation.isFilter {
            for step in scalars.indices where column.present.contains(step) {
                let (a, b) =
                    scalarIsLeft ? (scalars[step], column.values[step]) : (column.values[step], scalars[step])
                if !scalar.compare(a, b) { column.present.remove(step) }
            }
            return
        }
        column.values.withUnsafeMutableBufferPointer { values in
            scalars.withUnsafeBufferPointer { scalars in
                scalar.combine(values, with: scalars, scalarIsLeft: scalarIsLeft)
            }
        }
    }

    private func applyToPoints(_ column: inout Column, _ scalars: [Double], scalarIsLeft: Bool) {
        for step in scalars.indices {
            guard let point = column.point(step) else { continue }
            let number = PointValue.float(scalars[step])
            let outcome = scalarIsLeft ? operation.apply(number, point) : operation.apply(point, number)
            switch outcome {
            case .undefined, .rejected: column.remove(step)
            case .value(let value):
                // A filter lets the vector's element through, on whichever side it stands.
                if operation.isFilter { continue }
                column.remove(step)
                column.set(step, value)
            }
        }
    }
}
