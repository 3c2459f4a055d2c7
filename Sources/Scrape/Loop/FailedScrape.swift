package import SeriesModel

/// A scrape that failed, for a job that has a `scrape_failure_log_file`.
package struct FailedScrape: Sendable, Hashable {
    /// The log file.
    package var file: String
    package var time: Timestamp
    package var job: String
    /// The URL.
    package var target: String
    package var message: String

    package init(file: String, time: Timestamp, job: String, target: String, message: String) {
        self.file = file
        self.time = time
        self.job = job
        self.target = target
        self.message = message
    }
}

/// Where failed scrapes are noted: the port between the loops and the log files.
package protocol ScrapeFailureSink: Sendable {
    /// Returns at once.
    func scrapeFailed(_ scrape: FailedScrape)
}
