package import SeriesModel

/// Targets that one source names together.
package struct TargetGroup: Sendable, Hashable {
    /// Unique within a discoverer: `0` for the first static group, `path:0` for the first one of a file.
    package var source: String
    /// For each target that does not say otherwise.
    package var labels: LabelSet
    /// Each with at least `__address__`.
    package var targets: [LabelSet]

    package init(source: String, labels: LabelSet, targets: [LabelSet]) {
        self.source = source
        self.labels = labels
        self.targets = targets
    }

    /// Labels that carry an address and the road to it through discovery.
    package static let address = "__address__"
}

/// Something that knows targets: the port for all kinds of service discovery.
package protocol Discoverer: Sendable {
    /// Delivers **all** groups it knows, first as soon as it knows them and then whenever they have changed. Returns
    /// when the task is cancelled, or when nothing can change any more.
    func run(_ deliver: @Sendable ([TargetGroup]) async -> Void) async
}

/// The groups of `static_configs`: known from the start.
struct StaticDiscoverer: Discoverer {
    let groups: [TargetGroup]

    func run(_ deliver: @Sendable ([TargetGroup]) async -> Void) async {
        await deliver(groups)
    }
}
