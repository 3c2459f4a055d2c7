import PromQLSyntax
import SeriesModel

/// An expression with everything resolved that does not depend on data: durations are numbers, selectors know their
/// selection, subqueries their grid, and what is the same at each step is marked.
indirect enum PlanNode {
    case number(Double)
    case string(String)
    case selector(SelectorPlan)
    /// A range selector or subquery where a function takes it, or as the whole of an instant query.
    case range(RangePlan)
    case call(CallPlan)
    case negate(PlanNode, isScalar: Bool)
    case binary(BinaryPlan)
    case aggregate(AggregatePlan)
    /// Evaluated at the first step, good for all.
    case stepInvariant(PlanNode, isScalar: Bool)
}

struct SelectorPlan {
    var selection: Int
    /// ms
    var offset: Int64
    /// ms; what `@` says, with `start()` and `end()` resolved.
    var at: Timestamp?
    var matchers: [LabelMatcher]
    var rangeExtension: RangeExtension
    var source: SourceRange
    /// Only counts and sums of histograms are looked at: unknown reset hints are worked out.
    var refinesResetHints = false

    /// Where the selector looks from at an evaluation time.
    @inline(__always)
    func reference(_ time: Timestamp) -> Timestamp { (at ?? time) &- offset }
}

struct RangePlan {
    enum Source {
        case selector(SelectorPlan)
        case subquery(PlanNode, Grid)
    }

    var source: Source
    /// ms
    var width: Int64
    var offset: Int64
    var at: Timestamp?
    var range: SourceRange

    var rangeExtension: RangeExtension {
        if case .selector(let plan) = source { return plan.rangeExtension }
        return .none
    }

    @inline(__always)
    func reference(_ time: Timestamp) -> Timestamp { (at ?? time) &- offset }
}

struct CallPlan {
    var function: FunctionDefinition
    var arguments: [PlanNode]
    /// The arguments as they were written, for what is read off their form (`absent`, `info`).
    var expressions: [Expression]
    var range: SourceRange
    /// What `info` takes labels from.
    var info: InfoPlan?
}

/// The info series of an `info` call.
struct InfoPlan {
    var selector: SelectorPlan
    /// Conditions on the name of info metrics.
    var nameMatchers: [LabelMatcher]
    /// Conditions on the labels to take over, which are also the only ones taken; all are where there is none.
    var dataMatchers: [LabelMatcher]
}

struct BinaryPlan {
    var operation: BinaryOperator
    var left: PlanNode
    var right: PlanNode
    var isLeftScalar: Bool
    var isRightScalar: Bool
    var returnsBool: Bool
    var matching: VectorMatching?
    var range: SourceRange
}

struct AggregatePlan {
    var operation: AggregationOperator
    var operand: PlanNode
    var parameter: PlanNode?
    var grouping: [String]
    var isWithout: Bool
    var range: SourceRange
    var operandRange: SourceRange
    var parameterRange: SourceRange
}
