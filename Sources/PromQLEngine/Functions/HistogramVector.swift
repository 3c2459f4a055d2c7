import PromQLSyntax
import SeriesModel

/// The histograms of a vector: native ones as they are, classic ones gathered from their bucket series.
final class HistogramVector {
    private struct Classic {
        /// Without `le`, the metric name included.
        var labels: LabelSet
        var dropsName: Bool
        var buckets: [(bound: Double, column: Column)] = []
    }

    private let evaluator: Evaluator
    private let grid: Grid
    private var classics: [Classic] = []
    private var natives: [VectorSeries] = []
    private let materialized: [VectorSeries]
    /// Where messages point at.
    private let range: SourceRange
    private var forced: [String: ClassicBuckets.Monotonicity] = [:]
    private var guardian = DuplicateGuard()

    init(_ evaluator: Evaluator, _ operand: PlanNode, at range: SourceRange, _ grid: Grid) throws {
        self.evaluator = evaluator
        self.grid = grid
        self.range = range
        materialized = try evaluator.materialize(operand, grid)
        var indexes: [LabelSet: Int] = [:]
        let withoutBound = LabelProjection(dropping: [Label.bucketBound])
        for series in materialized {
            if let histograms = series.column.histograms, !histograms.present.isEmpty { natives.append(series) }
            if series.column.present.isEmpty { continue }
            let text = series.labels[Label.bucketBound] ?? ""
            guard let bound = NumberText.parse(text) else {
                let suffix = series.labels.metricName.map { " for metric name \(GoQuote.quote($0))" } ?? ""
                evaluator.context.annotations.warn(
                    "bucket label \"le\" is missing or has a malformed value of \(GoQuote.quote(text))\(suffix)",
                    at: range)
                continue
            }
            let key = withoutBound.apply(to: series.labels)
            let index = indexes[key] ?? classics.count
            if index == classics.count {
                indexes[key] = index
                classics.append(Classic(labels: key, dropsName: series.dropsName))
            }
            classics[index].buckets.append((bound, series.column))
        }
        // Buckets in the order of their bounds need no sorting at each step.
        for index in classics.indices { classics[index].buckets.sort { $0.bound < $1.bound } }
        if !natives.isEmpty { dropMixed(indexes) }
    }

    /// A native and a classic histogram of the same labels at the same step: neither is looked at.
    private func dropMixed(_ indexes: [LabelSet: Int]) {
        for position in natives.indices {
            guard let index = indexes[natives[position].labels], let histograms = natives[position].column.histograms
            else { continue }
            var classic = PresenceBitmap(count: grid.count)
            for (_, column) in classics[index].buckets { classic.formUnion(column.present) }
            classic.formIntersection(histograms.present)
            if classic.isEmpty { continue }
            let suffix = natives[position].labels.metricName.map { " for metric name \(GoQuote.quote($0))" } ?? ""
            evaluator.context.annotations.warn(
                "vector contains a mix of classic and native histograms\(suffix)", at: range)
            classic.forEach { step in
                natives[position].column.histograms?.remove(step)
                for bucket in classics[index].buckets.indices {
                    classics[index].buckets[bucket].column.present.remove(step)
                }
            }
        }
    }

    // MARK: Results

    /// - Parameter label: gets the quantile as its value; nil for none.
    func push(quantile ranks: [Double], label: String?, _ sink: SeriesSink) throws {
        try push(label.map { ($0, ranks) }, sink) { [self] histogram, step, name in
            isAmongNaN(histogram, ranks[step], name) ? .nan : histogram.quantile(ranks[step])
        } classic: { [self] buckets, step, name in
            let result = ClassicBuckets.quantile(ranks[step], &buckets)
            if let change = result.forced {
                let name = evaluator.context.options.enablesDelayedNameRemoval ? name : ""
                forced[name, default: ClassicBuckets.Monotonicity()].merge(change, at: grid.time(step))
            }
            return result.value
        }
    }

    func push(fractionFrom lower: [Double], to upper: [Double], _ sink: SeriesSink) throws {
        try push(nil, sink) { [self] histogram, step, name in
            if histogram.sum.isNaN, histogram.bucketTotal < histogram.count {
                note("input to histogram_fraction has NaN observations, which are excluded from all fractions", name)
            }
            return histogram.fraction(from: lower[step], to: upper[step])
        } classic: { buckets, step, _ in
            ClassicBuckets.fraction(lower[step], upper[step], &buckets)
        }
    }

    private func push(
        _ label: (name: String, ranks: [Double])?, _ sink: SeriesSink,
        native: (NativeHistogram, _ step: Int, _ name: String) -> Double,
        classic: (inout ContiguousArray<ClassicBuckets.Bucket>, _ step: Int, _ name: String) -> Double
    ) throws {
        for series in natives {
            var column = Column(count: grid.count)
            // Without the delay the name is gone by the time that anything is said of a histogram.
            let name = evaluator.context.options.enablesDelayedNameRemoval ? series.labels.metricName ?? "" : ""
            series.column.histograms?.forEach { column.set($0, native($1, $0, name)) }
            try push(series.labels, series.dropsName, column, label, sink)
        }
        var buckets = ContiguousArray<ClassicBuckets.Bucket>()
        for histogram in classics {
            try evaluator.context.check()
            let name = histogram.labels.metricName ?? ""
            var column = Column(count: grid.count)
            for step in 0..<grid.count {
                buckets.removeAll(keepingCapacity: true)
                for index in histogram.buckets.indices where histogram.buckets[index].column.present.contains(step) {
                    buckets.append(
                        ClassicBuckets.Bucket(
                            bound: histogram.buckets[index].bound, count: histogram.buckets[index].column.values[step]))
                }
                if !buckets.isEmpty { column.set(step, classic(&buckets, step, name)) }
            }
            try push(histogram.labels, histogram.dropsName, column, label, sink)
        }
    }

    private func push(
        _ labels: LabelSet, _ dropsName: Bool, _ column: Column, _ label: (name: String, ranks: [Double])?,
        _ sink: SeriesSink
    ) throws {
        if column.isEmpty { return }
        var series = VectorSeries(labels: labels, dropsName: dropsName, column: column)
        evaluator.dropName(&series)
        guard let label else {
            try guardian.check(series)
            return try sink(series)
        }
        // The quantile may be another at each step, and with it the labels.
        var byRank: [UInt64: PresenceBitmap] = [:]
        var order: [Double] = []
        column.present.forEach { step in
            let rank = label.ranks[step]
            if byRank[rank.bitPattern] == nil { order.append(rank) }
            byRank[rank.bitPattern, default: PresenceBitmap(count: grid.count)].insert(step)
        }
        for rank in order {
            var piece = series
            piece.labels = series.labels.setting(label.name, NumberText.openMetrics(rank))
            if let steps = byRank[rank.bitPattern] { piece.column.formIntersection(steps) }
            try guardian.check(piece)
            try sink(piece)
        }
    }

    /// To be called when all is pushed: says what was forced, and gives the memory back.
    func finish() {
        for (name, change) in forced {
            evaluator.context.annotations.info(change.stem(name), forced: change, at: range)
        }
        evaluator.release(materialized)
    }

    // MARK: Messages

    /// Observations of NaN are in no bucket: they lie above all others.
    /// - Returns: whether the quantile is one of them.
    private func isAmongNaN(_ histogram: NativeHistogram, _ q: Double, _ name: String) -> Bool {
        guard histogram.sum.isNaN, q >= 0, q <= 1, histogram.count > 0 else { return false }
        let total = histogram.bucketTotal
        guard total < histogram.count else { return false }
        let isAmong = q * histogram.count > total
        note(
            "input to histogram_quantile has NaN observations, result is \(isAmong ? "NaN" : "skewed higher")", name)
        return isAmong
    }

    private func note(_ text: String, _ name: String) {
        let suffix = name.isEmpty ? "" : " for metric name \(GoQuote.quote(name))"
        evaluator.context.annotations.info(text + suffix, at: range)
    }
}

extension NativeHistogram {
    /// The observations that are in any bucket: all but those of NaN.
    fileprivate var bucketTotal: Double {
        var total = 0.0
        for bucket in buckets { total += bucket.count }
        return total
    }
}
