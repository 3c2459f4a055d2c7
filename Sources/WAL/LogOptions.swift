/// How the log is kept.
package struct LogOptions: Sendable {
    /// A segment that has reached this size is followed by a new one. Bytes.
    package var segmentBytesMax = 64 << 20
    /// So is one that holds so many samples for each series that it has samples of: a segment is what one damaged place
    /// can cost. A new one has a whole value of each series where the old one would have had a difference; at this length
    /// that costs less than three hundredths of the log.
    package var samplesPerSeriesMax = 64
    /// A segment below this is not worth following for that. Bytes.
    package var segmentBytesMin = 4096

    package init() {}
}
