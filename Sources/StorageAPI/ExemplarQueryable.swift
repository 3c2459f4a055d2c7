package import SeriesModel

/// The reading side of what a store holds of exemplars.
package protocol ExemplarQueryable: Sendable {
    /// The exemplars of the series that match any of the matcher lists, both ends of the range included: series in
    /// label order, each with its exemplars by time. Series without any are left out.
    /// - Throws: `CancellationError` where `cancellation` was triggered meanwhile.
    func exemplars(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [(labels: LabelSet, exemplars: [Exemplar])]
}
