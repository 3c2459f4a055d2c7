package import Discovery

extension AlertmanagerSection {
    /// Makes the URLs of the static groups, or of groups read elsewhere, as the server would.
    /// - Returns: why the first of them can be none; nil where all are good.
    package func targetProblem(in groups: [TargetGroup]? = nil) -> String? {
        for group in groups ?? discovery.staticGroups {
            for labels in group.targets {
                if case .invalid(let reason) = AlertmanagerTarget.make(labels, group: group.labels, self) {
                    return reason
                }
            }
        }
        return nil
    }
}
