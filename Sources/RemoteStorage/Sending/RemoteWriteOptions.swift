package import SeriesModel

/// What remote write needs to know besides its configuration.
package struct RemoteWriteOptions: Sendable {
    /// `--storage.remote.flush-deadline`: how long stopping may take for what waits. ms
    package var flushDeadline: Int64 = 60_000
    /// The `User-Agent` of requests.
    package var userAgent = "Prometheus/3.14.0"
    /// What is known of metrics.
    package var metadata: MetadataProvider = { [:] }
    /// The newest time of any sample in the store, nil for none. ms
    package var newestTimestamp: @Sendable () -> Timestamp? = { nil }
    /// Threads on which requests are made.
    package var threadCount = 2
    /// The pause before the log is read again where it could not be. ms
    package var logRetryPause: Int64 = 5000

    package init() {}
}
