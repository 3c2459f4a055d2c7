import PromQLSyntax
import StorageAPI

/// Tells the store what is going to be done with a selection: the function applied to it, and the labels that the
/// aggregation around it groups by.
enum SelectionHinting {
    private struct Use: Hashable {
        var function = ""
        var grouping: [String]?
        var isGroupingBy = false
    }

    static func apply(_ plan: inout QueryPlan) {
        var uses = [Set<Use>](repeating: [], count: plan.selections.count)
        gather(plan.root, Use(), &uses)
        for (index, found) in uses.enumerated() where found.count == 1 {
            // Selections that are used in more than one way are told nothing.
            guard let use = found.first else { continue }
            plan.selections[index].hints.function = use.function
            plan.selections[index].hints.grouping = use.grouping
            plan.selections[index].hints.isGroupingBy = use.isGroupingBy
        }
    }

    private static func gather(_ node: PlanNode, _ use: Use, _ uses: inout [Set<Use>]) {
        switch node {
        case .number, .string: break
        case .selector(let plan): uses[plan.selection].insert(use)
        case .range(let plan):
            switch plan.source {
            case .selector(let selector): uses[selector.selection].insert(use)
            case .subquery(let inner, _): gather(inner, Use(), &uses)
            }
        case .call(let plan):
            if let info = plan.info { uses[info.selector.selection].insert(Use(function: plan.function.name)) }
            var inner = use
            inner.function = plan.function.name
            for argument in plan.arguments { gather(argument, inner, &uses) }
        case .negate(let plan), .stepInvariant(let plan): gather(plan.operand, use, &uses)
        case .binary(let plan):
            // A join needs labels that the aggregation around it does not name.
            gather(plan.left, Use(), &uses)
            gather(plan.right, Use(), &uses)
        case .aggregate(let plan):
            gather(
                plan.operand,
                Use(function: plan.operation.rawValue, grouping: plan.grouping, isGroupingBy: !plan.isWithout), &uses)
            if let parameter = plan.parameter { gather(parameter, Use(), &uses) }
        }
    }
}
