package import SeriesModel

/// What of the store can be changed while it runs: the section `storage` of the configuration file, or the flags.
package struct StorageSettings: Sendable {
    /// Keeps the samples of some series for a shorter time. Of several rules that select a series the first holds.
    package struct RetentionRule: Sendable {
        /// Each list selects series for itself.
        package var match: [[LabelMatcher]]
        /// ms
        package var keep: Int64

        package init(match: [[LabelMatcher]], keep: Int64) {
            self.match = match
            self.keep = keep
        }

        func selects(_ labels: LabelSet) -> Bool {
            match.contains { matchers in matchers.allSatisfy { $0.matches(labels[$0.name] ?? "") } }
        }
    }

    /// How long samples are kept, ms; nil for no limit.
    package var retentionTime: Int64?
    /// What blocks, log and head may take on disk, bytes; nil for no limit.
    package var retentionSize: Int64?
    /// As `retentionSize`, in hundredths of the file system's size; nil for no limit.
    package var retentionPercentage: Double?
    package var retentionRules: [RetentionRule] = []
    /// How far behind the newest sample another may come, ms; 0: not at all.
    package var outOfOrderWindow: Int64 = 0
    /// How many exemplars are held, of all series together; 0: none.
    package var exemplarsMax = 100_000

    package init() {}
}
