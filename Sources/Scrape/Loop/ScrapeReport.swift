import SeriesModel

/// What is said about a scrape in series of its own (inventory 6.3.4).
struct ScrapeReport: Sendable, Equatable {
    var isUp: Bool
    /// Seconds.
    var duration: Double
    var samplesScraped: Int
    var samplesAfterRelabelling: Int
    var seriesAdded: Int
    /// -1 where the body was too long.
    var bodyBytes: Int

    /// The names of the series, in the order of `values`.
    static func names(extra: Bool) -> [String] {
        var names = [
            "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
            "scrape_series_added",
        ]
        if extra { names += ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"] }
        return names
    }

    /// - Parameter timeout: ms
    func values(extra: Bool, timeout: Int64, sampleLimit: Int) -> [Double] {
        var values = [
            isUp ? 1 : 0, duration, Double(samplesScraped), Double(samplesAfterRelabelling), Double(seriesAdded),
        ]
        if extra { values += [Double(timeout) / 1000, Double(sampleLimit), Double(bodyBytes)] }
        return values
    }
}
