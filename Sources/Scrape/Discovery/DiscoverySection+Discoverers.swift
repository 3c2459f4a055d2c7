package import SeriesModel

extension DiscoverySection {
    /// One discoverer for each source the section names.
    package func discoverers(clock: any WallClock, metrics: DiscoveryMetrics) -> [any Discoverer] {
        var all: [any Discoverer] = files.map { FileDiscoverer(section: $0, clock: clock, metrics: metrics) }
        if !staticGroups.isEmpty { all.append(StaticDiscoverer(groups: staticGroups)) }
        return all
    }
}
