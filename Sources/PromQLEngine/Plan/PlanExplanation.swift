import PromQLSyntax
import SeriesModel

/// Turns a plan into what `explain` shows, with the figures of its nodes where it was run.
struct PlanExplanation {
    private let query: [UInt8]
    private let figures: PlanProfile.Figures

    init(query: [UInt8], figures: PlanProfile.Figures) {
        self.query = query
        self.figures = figures
    }

    func report(_ node: PlanNode) -> PlanReport {
        switch node {
        case .number(let value): return PlanReport(name: "number", detail: NumberText.general(value))
        case .string(let text): return PlanReport(name: "string", detail: GoQuote.quote(text))
        case .selector(let plan): return report(plan)
        case .range(let plan): return report(plan)
        case .call(let plan):
            var children = plan.arguments.map(report)
            if let info = plan.info { children.append(report(info.selector)) }
            return finished(plan.id, kind(plan), plan.function.name, plan.range, children)
        case .negate(let plan):
            return finished(plan.id, "negation", "-", plan.range, [report(plan.operand)])
        case .stepInvariant(let plan):
            return finished(plan.id, "step invariant", "evaluated once", plan.range, [report(plan.operand)])
        case .binary(let plan):
            return finished(
                plan.id, name(plan), detail(plan), plan.range, [report(plan.left), report(plan.right)])
        case .aggregate(let plan):
            var grouping = ""
            if plan.isWithout || !plan.grouping.isEmpty {
                grouping = " \(plan.isWithout ? "without" : "by") (\(plan.grouping.joined(separator: ", ")))"
            }
            let children = [plan.parameter, plan.operand].compactMap { $0 }.map(report)
            return finished(plan.id, name(plan.operation), plan.operation.rawValue + grouping, plan.range, children)
        }
    }

    private func report(_ plan: SelectorPlan) -> PlanReport {
        let matchers = plan.matchers.map(\.description).joined(separator: ",")
        var detail = "{\(matchers)}"
        switch plan.rangeExtension {
        case .none: break
        case .anchored: detail += " anchored"
        case .smoothed: detail += " smoothed"
        }
        detail += shift(plan.offset, plan.at)
        return finished(plan.id, "selector", "#\(plan.selection) \(detail)", plan.source, [])
    }

    private func report(_ plan: RangePlan) -> PlanReport {
        let width = DurationText.format(plan.width)
        switch plan.source {
        case .selector(let selector):
            return finished(plan.id, "range", "[\(width)]", plan.range, [report(selector)])
        case .subquery(let inner, let grid):
            let step = DurationText.format(grid.step)
            return finished(
                plan.id, "subquery", "[\(width):\(step)]" + shift(plan.offset, plan.at), plan.range, [report(inner)])
        }
    }

    private func shift(_ offset: Int64, _ at: Timestamp?) -> String {
        var text = ""
        if let at { text += " @ \(NumberText.fixed(Double(at) / 1000, digits: 3))" }
        if offset != 0 {
            text += " offset \(offset < 0 ? "-" : "")" + DurationText.format(abs(offset))
        }
        return text
    }

    /// - Parameter id: where the figures of the node are; its seconds are those of its operands too.
    private func finished(
        _ id: Int, _ name: String, _ detail: String, _ range: SourceRange, _ children: [PlanReport]
    ) -> PlanReport {
        var report = PlanReport(name: name, detail: detail, range: range)
        report.children = children
        report.seconds = children.reduce(0) { $0 + $1.seconds }
        if figures.times.indices.contains(id) {
            report.series = figures.series[id]
            report.samples = figures.samples[id]
            report.seconds += Double(figures.times[id]) / 1e9
        }
        return report
    }

    // MARK: Words

    private func kind(_ plan: CallPlan) -> String {
        switch plan.function.kernel {
        case .map: return "function of each value"
        case .window:
            let slides = plan.function.series != nil && plan.rangeArgument?.rangeExtension == RangeExtension.none
            return slides ? "function of sliding windows" : "function of each window"
        case .vector: return "function of a vector"
        case .scalar: return "scalar function"
        }
    }

    private func name(_ plan: BinaryPlan) -> String {
        if plan.isLeftScalar && plan.isRightScalar { return "scalar operator" }
        if plan.isLeftScalar || plan.isRightScalar { return "operator with a scalar" }
        if plan.operation.isSetOperator { return "set operator" }
        switch plan.matching?.cardinality {
        case .manyToOne: return "many-to-one join"
        case .oneToMany: return "one-to-many join"
        default: return "one-to-one join"
        }
    }

    private func detail(_ plan: BinaryPlan) -> String {
        var text = plan.operation.rawValue
        if plan.returnsBool { text += " bool" }
        guard let matching = plan.matching, !plan.isLeftScalar, !plan.isRightScalar else { return text }
        if matching.isOn || !matching.labels.isEmpty {
            text += " \(matching.isOn ? "on" : "ignoring") (\(matching.labels.joined(separator: ", ")))"
        }
        if !matching.include.isEmpty { text += " including (\(matching.include.joined(separator: ", ")))" }
        return text
    }

    private func name(_ operation: AggregationOperator) -> String {
        switch operation {
        case .sum, .avg, .min, .max, .count, .group, .stddev, .stdvar, .countValues: "fold"
        case .quantile, .topk, .bottomk, .limitk: "aggregation of groups"
        case .limitRatio: "selection"
        }
    }
}
