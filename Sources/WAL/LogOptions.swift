/// How the log is kept.
package struct LogOptions: Sendable {
    /// A segment that has reached this size is followed by a new one. Bytes.
    package var segmentBytesMax = 64 << 20
    /// So is one that holds so many samples for each series that it has samples of: a segment is what one damaged place
    /// can cost. A new one has a whole value of each series where the old one would have had a difference: 1.9 % of the
    /// log of a simulated backend at this length, 3.8 % at half of it, 0.9 % at twice of it.
    package var samplesPerSeriesMax = 32
    /// What segments and older checkpoints may take that are kept for consumers of the log alone. Bytes.
    package var heldBytesMax = 1 << 30
    /// How long after its end a segment is kept for them. ms
    package var heldTimeMax: Int64 = 2 * 3_600_000
    /// Of a clock that is never set. ms
    package var monotonicTime: @Sendable () -> Int64 = LogOptions.continuousTime
    /// A segment below this is not worth following for that. Bytes.
    package var segmentBytesMin = 4096

    package init() {}

    private static let origin = ContinuousClock.now

    @Sendable
    private static func continuousTime() -> Int64 {
        let elapsed = origin.duration(to: .now).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }
}
