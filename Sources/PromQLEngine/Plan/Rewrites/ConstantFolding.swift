/// Computes what is built of numbers alone: `2 * 1024`, `-1`.
enum ConstantFolding {
    static func apply(_ plan: inout QueryPlan) { plan.root = folded(plan.root) }

    private static func folded(_ node: PlanNode) -> PlanNode {
        let node = node.mapOperands(folded)
        switch node {
        case .negate(let plan):
            if case .number(let value) = plan.operand { return .number(-value) }
        case .stepInvariant(let plan):
            if case .number = plan.operand { return plan.operand }
        case .binary(let plan):
            if case .number(let left) = plan.left, case .number(let right) = plan.right {
                return .number(ScalarOperation(plan.operation).scalar(left, right))
            }
        default: break
        }
        return node
    }
}
