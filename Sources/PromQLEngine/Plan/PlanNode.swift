import PromQLSyntax
import SeriesModel

/// An expression with everything resolved that does not depend on data: durations are numbers, selectors know their
/// selection, subqueries their grid, and what is the same at each step is marked.
///
/// Nodes that do work have a number, by which the figures of `explain` are kept.
indirect enum PlanNode: Sendable {
    case number(Double)
    case string(String)
    case selector(SelectorPlan)
    /// A range selector or subquery where a function takes it, or as the whole of an instant query.
    case range(RangePlan)
    case call(CallPlan)
    case negate(OperandPlan)
    case binary(BinaryPlan)
    case aggregate(AggregatePlan)
    /// Evaluated at the first step, good for all.
    case stepInvariant(OperandPlan)
}

extension PlanNode {
    /// Nil for literals.
    var id: Int? {
        switch self {
        case .number, .string: nil
        case .selector(let plan): plan.id
        case .range(let plan): plan.id
        case .call(let plan): plan.id
        case .negate(let plan), .stepInvariant(let plan): plan.id
        case .binary(let plan): plan.id
        case .aggregate(let plan): plan.id
        }
    }
}

/// A node that does one thing to one operand.
struct OperandPlan: Sendable {
    var id: Int
    var operand: PlanNode
    var isScalar: Bool
    var range: SourceRange
}

struct SelectorPlan: Sendable {
    var id: Int
    /// An index into the plan's selections.
    var selection: Int
    /// ms; of the range it is part of, 0 for an instant selector.
    var width: Int64 = 0
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

struct RangePlan: Sendable {
    var id: Int
    enum Source: Sendable {
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

struct CallPlan: Sendable {
    var id: Int
    var function: FunctionDefinition
    var arguments: [PlanNode]
    /// The arguments as they were written, for what is read off their form (`absent`, `info`).
    var expressions: [Expression]
    var range: SourceRange
    /// What `info` takes labels from.
    var info: InfoPlan?
}

/// The info series of an `info` call.
struct InfoPlan: Sendable {
    var selector: SelectorPlan
    /// Conditions on the name of info metrics.
    var nameMatchers: [LabelMatcher]
    /// Conditions on the labels to take over, which are also the only ones taken; all are where there is none.
    var dataMatchers: [LabelMatcher]
}

struct BinaryPlan: Sendable {
    var id: Int
    var operation: BinaryOperator
    var left: PlanNode
    var right: PlanNode
    var isLeftScalar: Bool
    var isRightScalar: Bool
    var returnsBool: Bool
    var matching: VectorMatching?
    var range: SourceRange
}

struct AggregatePlan: Sendable {
    var id: Int
    var operation: AggregationOperator
    var operand: PlanNode
    var parameter: PlanNode?
    var grouping: [String]
    var isWithout: Bool
    var range: SourceRange
    var operandRange: SourceRange
    var parameterRange: SourceRange
}
