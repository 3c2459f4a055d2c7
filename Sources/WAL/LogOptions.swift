/// How the log is kept.
package struct LogOptions: Sendable {
    /// A segment that has reached this size is followed by a new one. Bytes.
    package var segmentBytesMax = 64 << 20

    package init() {}
}
