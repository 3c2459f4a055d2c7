import ByteCoding
import SeriesModel

/// From when on a merge keeps samples, by the rules of the retention. A merge that goes on after a restart keeps the
/// instants with which it began.
struct MergeCutoffs {
    private let rules: [StorageSettings.RetentionRule]
    /// From which the rules count back. ms
    private let newest: Timestamp

    /// - Parameter interrupted: the context of the merge to go on with, if there is one. One that had other rules, or
    ///   knew a newer sample, has other instants.
    init(_ rules: [StorageSettings.RetentionRule], newest: Timestamp, goingOn interrupted: [UInt8]?) {
        self.rules = rules
        guard let interrupted else {
            self.newest = newest
            return
        }
        let before = ByteCursor.read(interrupted) { cursor in try? cursor.zigzag() } ?? newest
        let isSame = before <= newest && MergeCutoffs(rules, newest: before).context == interrupted
        self.newest = isSame ? before : newest
    }

    private init(_ rules: [StorageSettings.RetentionRule], newest: Timestamp) {
        self.rules = rules
        self.newest = newest
    }

    /// Of a series. ms; nil for all.
    var keepFrom: (LabelSet) -> Timestamp? { TSDB.keepFrom(rules, newest: newest) }

    /// Stands for the cut-offs of all series: the same bytes mean the same instants. Empty where there is no rule.
    var context: [UInt8] {
        if rules.isEmpty { return [] }
        var builder = ByteBuilder()
        builder.appendZigzag(newest)
        for rule in rules {
            builder.appendZigzag(rule.keep)
            builder.appendVarint(rule.match.count)
            for matchers in rule.match {
                builder.appendVarint(matchers.count)
                for matcher in matchers { builder.appendSized(Array(matcher.description.utf8)) }
            }
        }
        return builder.bytes
    }
}
