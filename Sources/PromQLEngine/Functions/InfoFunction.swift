import PromQLSyntax
import SeriesModel

/// `info`: gives series the labels of the info series that have the same `instance` and `job`.
enum InfoFunction {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "info", dropsName: false, kernel: .vector(info))
    ]

    /// What tells which series an info series is about.
    private static let identity = LabelProjection(keeping: ["instance", "job"])

    /// An info series, and where its samples are from.
    private struct Source {
        var name: String
        var labels: LabelSet
        /// Sample times in ms.
        var column: Column
    }

    private static func info(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        guard let info = plan.info else { throw QueryError.execution("missing info selector") }
        let base = try evaluator.materialize(plan.arguments[0], grid)
        defer { evaluator.release(base) }
        var sources: [LabelSet: [Source]] = [:]
        for series in base where !isSource(series, info) {
            let key = identity.apply(to: series.labels)
            if !key.isEmpty { sources[key] = [] }
        }
        try gather(&sources, evaluator, info, grid)
        var guardian = DuplicateGuard(checksDelayed: true)
        for series in base {
            try evaluator.context.check()
            if isSource(series, info) {
                try guardian.check(series)
                try sink(series)
                continue
            }
            let found = sources[identity.apply(to: series.labels)] ?? []
            for piece in try enriched(series, by: found, info, grid) {
                try guardian.check(piece)
                try sink(piece)
            }
        }
    }

    /// Info series are not enriched themselves. What only excludes names makes no series one of them.
    private static func isSource(_ series: VectorSeries, _ info: InfoPlan) -> Bool {
        let name = series.labels.metricName ?? ""
        return info.nameMatchers.contains { $0.kind == .equal || $0.kind == .regex }
            && info.nameMatchers.allSatisfy { $0.matches(name) }
    }

    private static func gather(
        _ sources: inout [LabelSet: [Source]], _ evaluator: Evaluator, _ info: InfoPlan, _ grid: Grid
    ) throws {
        if sources.isEmpty { return }
        let wanted = sources
        try evaluator.eachSelected(info.selector, grid, isWanted: { wanted[identity.apply(to: $0)] != nil }) {
            labels, samples in
            var column = Column(count: grid.count)
            var hasHistogram = false
            Lookback.walk(samples, grid, info.selector, evaluator.lookbackDelta) { step, sample in
                switch sample {
                case .float(let index): column.set(step, Double(samples.timestamps[index]))
                case .histogram: hasHistogram = true
                }
            }
            if hasHistogram { throw QueryError.execution("info sample should be float") }
            let source = Source(name: labels.metricName ?? "", labels: labels, column: column)
            sources[identity.apply(to: labels), default: []].append(source)
        }
    }

    /// The series with the labels added: in pieces, where those change over time.
    private static func enriched(
        _ series: VectorSeries, by sources: [Source], _ info: InfoPlan, _ grid: Grid
    ) throws -> [VectorSeries] {
        var pieces: [LabelSet: PresenceBitmap] = [:]
        var order: [LabelSet] = []
        let needsInfo = info.dataMatchers.contains { !$0.matchesEmpty }
        var failure: QueryError?
        series.column.anyPresent.forEach { step in
            guard failure == nil else { return }
            do throws(QueryError) {
                let newest = try newest(sources, step)
                if newest.isEmpty, needsInfo { return }
                let labels = try merged(series.labels, newest, info)
                if pieces[labels] == nil { order.append(labels) }
                pieces[labels, default: PresenceBitmap(count: grid.count)].insert(step)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return order.map { labels in
            var piece = series
            piece.labels = labels
            if let steps = pieces[labels] { piece.column.formIntersection(steps) }
            return piece
        }
    }

    /// Of each info metric the series with the newest sample.
    private static func newest(_ sources: [Source], _ step: Int) throws(QueryError) -> [Source] {
        var chosen: [Source] = []
        for source in sources {
            guard let time = source.column[step] else { continue }
            guard let index = chosen.firstIndex(where: { $0.name.hasSameBytes(as: source.name) }),
                let known = chosen[index].column[step]
            else {
                chosen.append(source)
                continue
            }
            if time == known { throw .execution("found duplicate series for info metric \(source.name)") }
            if time > known { chosen[index] = source }
        }
        return chosen
    }

    private static func merged(
        _ base: LabelSet, _ sources: [Source], _ info: InfoPlan
    ) throws(QueryError) -> LabelSet {
        var added = LabelSetBuilder()
        for source in sources {
            for label in source.labels where !label.name.hasSameBytes(as: Label.metricName) {
                let isWanted =
                    info.dataMatchers.isEmpty
                    || info.dataMatchers.contains { $0.name.hasSameBytes(as: label.name) }
                guard isWanted else { continue }
                if let other = added[label.name], !other.hasSameBytes(as: label.value) {
                    throw .execution("conflicting label: \(label.name)")
                }
                if base.valueRange(of: label.name) == nil { added.set(label.name, label.value) }
            }
        }
        var builder = LabelSetBuilder(base)
        for label in added.current { builder.set(label.name, label.value) }
        return builder.build()
    }
}
