import SeriesModel
import StorageAPI

/// Lets selectors that want the same series over the same time share one selection, so that the store looks them up
/// once.
enum SharedSelections {
    private struct Key: Hashable {
        var matchers: [LabelMatcher]
        var range: TimeRange
    }

    static func apply(_ plan: inout QueryPlan) {
        var indexes: [Key: Int] = [:]
        var kept: [Selection] = []
        var replaced: [Int] = []
        for selection in plan.selections {
            let key = Key(matchers: selection.matchers, range: selection.range)
            if let known = indexes[key] {
                replaced.append(known)
                // Who wants all samples decides.
                if !selection.hints.wantsNewestOnly { kept[known].hints.wantsNewestOnly = false }
            } else {
                indexes[key] = kept.count
                replaced.append(kept.count)
                kept.append(selection)
            }
        }
        if kept.count == plan.selections.count { return }
        plan.selections = kept
        plan.root = plan.root.mapSelectors { selector in
            var selector = selector
            selector.selection = replaced[selector.selection]
            return selector
        }
    }
}
