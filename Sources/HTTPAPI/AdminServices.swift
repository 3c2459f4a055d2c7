package import SeriesModel

/// What the admin endpoints ask of the store. Each call returns when it is done, however long that takes, and goes on
/// to its end though the client may have gone; whoever composes the server keeps them off the shared threads.
package struct AdminServices: Sendable {
    package var deleteSeries: @Sendable (_ matching: [[LabelMatcher]], _ range: TimeRange) async throws -> Void
    package var cleanTombstones: @Sendable () async throws -> Void
    /// - Returns: the snapshot's name.
    package var snapshot: @Sendable (_ skipsHead: Bool) async throws -> String

    package init(
        deleteSeries: @escaping @Sendable ([[LabelMatcher]], TimeRange) async throws -> Void,
        cleanTombstones: @escaping @Sendable () async throws -> Void,
        snapshot: @escaping @Sendable (Bool) async throws -> String
    ) {
        self.deleteSeries = deleteSeries
        self.cleanTombstones = cleanTombstones
        self.snapshot = snapshot
    }
}
