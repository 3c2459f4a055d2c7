import StorageAPI

/// How a query is going to be answered.
struct QueryPlan {
    var root: PlanNode
    /// What the store is asked for; selectors refer to them by index.
    var selections: [Selection]
    /// Node numbers are below.
    let nodeCount: Int
}

/// What is done to every plan, in this order: each rewrite may rely on those before it. (What does not depend on the
/// step is found while planning, since it decides on which grid an operand is planned: see `StepInvariance`.)
enum Rewrites {
    static let standard: [@Sendable (inout QueryPlan) -> Void] = [
        ConstantFolding.apply,
        SharedSelections.apply,
        SelectionHinting.apply,
    ]
}

extension PlanNode {
    /// Gives every selector of the plan to the body.
    func mapSelectors(_ body: (SelectorPlan) -> SelectorPlan) -> PlanNode {
        switch self {
        case .selector(let plan): return .selector(body(plan))
        case .range(var plan):
            if case .selector(let selector) = plan.source { plan.source = .selector(body(selector)) }
            return PlanNode.range(plan).mapOperands { $0.mapSelectors(body) }
        case .call(var plan):
            if let info = plan.info { plan.info?.selector = body(info.selector) }
            return PlanNode.call(plan).mapOperands { $0.mapSelectors(body) }
        default: return mapOperands { $0.mapSelectors(body) }
        }
    }

    /// The node with each of its operands replaced.
    func mapOperands(_ body: (PlanNode) -> PlanNode) -> PlanNode {
        switch self {
        case .number, .string, .selector: return self
        case .range(var plan):
            if case .subquery(let inner, let grid) = plan.source { plan.source = .subquery(body(inner), grid) }
            return .range(plan)
        case .call(var plan):
            plan.arguments = plan.arguments.map(body)
            return .call(plan)
        case .negate(var plan):
            plan.operand = body(plan.operand)
            return .negate(plan)
        case .stepInvariant(var plan):
            plan.operand = body(plan.operand)
            return .stepInvariant(plan)
        case .binary(var plan):
            plan.left = body(plan.left)
            plan.right = body(plan.right)
            return .binary(plan)
        case .aggregate(var plan):
            plan.operand = body(plan.operand)
            plan.parameter = plan.parameter.map(body)
            return .aggregate(plan)
        }
    }
}
