import PromQLSyntax
import SeriesModel

/// What an aggregation makes of histograms.
enum HistogramTreatment {
    /// Left out, and that is told.
    case ignored
    /// Counted like floats; their value does not matter.
    case counted
    case added(isMean: Bool)
}

/// One group of an aggregation: accumulators for each step.
struct FoldedGroup<A: ColumnAccumulator> {
    let labels: LabelSet
    var dropsName = false
    private var rows: A
    private let stepCount: Int
    private var present: PresenceBitmap
    /// Empty until the first histogram that is to be added.
    private var histograms: [HistogramRow] = []

    private enum HistogramRow {
        case none
        case sum(HistogramSum)
        /// Exponential and custom buckets have met.
        case incompatible
    }

    init(labels: LabelSet, count: Int) {
        self.labels = labels
        rows = A(count: count)
        stepCount = count
        present = PresenceBitmap(count: count)
    }

    mutating func add(
        _ series: VectorSeries, _ treatment: HistogramTreatment, _ plan: AggregatePlan, _ context: EvaluationContext
    ) {
        series.column.values.withUnsafeBufferPointer { rows.add($0, series.column.present) }
        present.formUnion(series.column.present)
        guard let added = series.column.histograms, !added.present.isEmpty else { return }
        switch treatment {
        case .ignored:
            context.annotations.info(
                "ignored histogram in \(plan.operation.rawValue) aggregation", at: plan.operandRange)
        case .counted:
            // A count does not look at the value.
            series.column.values.withUnsafeBufferPointer { rows.add($0, added.present) }
            present.formUnion(added.present)
        case .added(let isMean):
            if histograms.isEmpty { histograms = [HistogramRow](repeating: .none, count: stepCount) }
            let name = series.labels.metricName ?? ""
            added.forEach { step, histogram in
                histograms[step] = FoldedGroup.adding(histogram, to: histograms[step], isMean, name, plan, context)
            }
        }
    }

    private static func adding(
        _ histogram: NativeHistogram, to row: HistogramRow, _ isMean: Bool, _ name: String, _ plan: AggregatePlan,
        _ context: EvaluationContext
    ) -> HistogramRow {
        var sum: HistogramSum
        switch row {
        case .none: sum = HistogramSum(isMean: isMean)
        case .sum(let known): sum = known
        case .incompatible: return .incompatible
        }
        do throws(HistogramError) {
            try sum.add(histogram)
            return .sum(sum)
        } catch {
            context.annotations.warn(
                "vector contains a mix of histograms with exponential and custom buckets schemas for metric name "
                    + GoQuote.quote(name), at: plan.operandRange)
            return .incompatible
        }
    }

    /// The group's result at each step.
    func column(_ plan: AggregatePlan, _ context: EvaluationContext) -> Column {
        var column = Column(count: stepCount)
        present.forEach { column.values[$0] = rows.result(at: $0) }
        column.present = present
        for step in histograms.indices {
            if case .none = histograms[step] { continue }
            if present.contains(step) {
                context.annotations.warn(
                    "encountered a mix of histograms and floats for aggregation", at: plan.operandRange)
                column.present.remove(step)
                continue
            }
            guard case .sum(let sum) = histograms[step] else { continue }
            if sum.hasReconciledBounds {
                context.annotations.info(
                    "mismatched custom buckets were reconciled during aggregation", at: plan.operandRange)
            }
            if sum.hasCollision {
                context.annotations.warn(
                    "conflicting counter resets during histogram aggregation", at: plan.operandRange)
            }
            if var result = FoldedGroup.result(sum, plan) {
                result.compact()
                column.set(step, result)
            }
        }
        return column
    }

    private static func result(_ sum: HistogramSum, _ plan: AggregatePlan) -> NativeHistogram? {
        // The compensation has the layout of the sum: adding it cannot fail.
        do throws(HistogramError) {
            return try plan.operation == .avg ? sum.mean() : sum.sum()
        } catch {
            return nil
        }
    }
}
