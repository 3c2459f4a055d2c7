package import ConfigTree
import SeriesModel

/// What a check of a configuration looks at beyond the configuration itself.
extension ScrapeConfig {
    /// Makes the targets of the static groups, and of groups read elsewhere, as the server would.
    /// - Throws: why the first of them can be no target.
    package func checkTargets(of groups: [TargetGroup]? = nil) throws {
        let factory = TargetFactory(config: self)
        for group in groups ?? discovery.staticGroups {
            for labels in group.targets { _ = try factory.make(labels, group: group.labels) }
        }
    }
}

extension TargetGroup {
    /// The groups of a file of `file_sd_configs`.
    package static func read(_ path: String) throws(ConfigError) -> [TargetGroup] {
        try FileDiscoverer.groups(in: path)
    }
}
