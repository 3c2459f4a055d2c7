package import Discovery

/// What a check of a configuration looks at beyond the configuration itself.
extension ScrapeConfig {
    /// Makes the targets of the static groups, or of groups read elsewhere, as the server would.
    /// - Returns: why the first of them can be none; nil where all are good.
    package func targetProblem(in groups: [TargetGroup]? = nil) -> String? {
        let factory = TargetFactory(config: self)
        for group in groups ?? discovery.staticGroups {
            for (index, labels) in group.targets.enumerated() {
                do {
                    _ = try factory.make(labels, group: group.labels)
                } catch {
                    return "instance \(index) in group \(group.source): \(error)"
                }
            }
        }
        return nil
    }
}
