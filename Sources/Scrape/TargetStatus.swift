package import SeriesModel

/// What one scrape pool looks like at one moment: the source of `/api/v1/targets`.
package struct ScrapePoolStatus: Sendable {
    package var name: String
    package var active: [TargetStatus]
    /// Labels before relabelling of targets that relabelling dropped.
    package var dropped: [LabelSet]
    /// All dropped ones, also those that `keep_dropped_targets` cut from the list.
    package var droppedCount: Int

    package init(name: String, active: [TargetStatus], dropped: [LabelSet], droppedCount: Int) {
        self.name = name
        self.active = active
        self.dropped = dropped
        self.droppedCount = droppedCount
    }
}

package struct TargetStatus: Sendable {
    package enum Health: String, Sendable {
        case unknown, up, down
    }

    /// Before relabelling, meta labels included.
    package var discoveredLabels: LabelSet
    /// After relabelling.
    package var labels: LabelSet
    package var scrapeURL: String
    /// The URL as seen from elsewhere: loopback names replaced by the host of the external URL.
    package var globalURL: String
    package var lastError: String
    /// ms; nil before the first scrape.
    package var lastScrape: Timestamp?
    /// Seconds.
    package var lastScrapeDuration: Double
    package var health: Health
    /// ms
    package var scrapeInterval: Int64
    package var scrapeTimeout: Int64

    package init(
        discoveredLabels: LabelSet, labels: LabelSet, scrapeURL: String, globalURL: String, lastError: String,
        lastScrape: Timestamp?, lastScrapeDuration: Double, health: Health, scrapeInterval: Int64,
        scrapeTimeout: Int64
    ) {
        self.discoveredLabels = discoveredLabels
        self.labels = labels
        self.scrapeURL = scrapeURL
        self.globalURL = globalURL
        self.lastError = lastError
        self.lastScrape = lastScrape
        self.lastScrapeDuration = lastScrapeDuration
        self.health = health
        self.scrapeInterval = scrapeInterval
        self.scrapeTimeout = scrapeTimeout
    }
}
