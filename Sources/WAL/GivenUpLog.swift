/// What was kept of the log for consumers that have not passed it, and goes all the same.
package struct GivenUpLog: Sendable, Hashable {
    package enum Reason: Sendable, Hashable, CustomStringConvertible {
        /// It was kept for as long as it may be.
        case time
        /// More is kept than may be.
        case size
        /// The disk has no room.
        case disk

        package var description: String {
            switch self {
            case .time: "it was kept for long enough"
            case .size: "it took too much room"
            case .disk: "the disk is full"
            }
        }
    }

    package var reason: Reason
    /// Of the segments.
    package var bytes: Int
}
