package import Discovery
package import Exposition
package import OutboundHTTP
package import Relabeling

/// One entry of `scrape_configs` with what it takes from `global` filled in. Equal values are the same job: a pool whose
/// configuration has not changed goes on untouched.
package struct ScrapeConfig: Sendable, Hashable {
    package enum Scheme: String, Sendable, CaseIterable {
        case http, https
    }

    /// One URL parameter. (A list, to keep equality and order plain.)
    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var values: [String]
    }

    package var jobName: String
    /// ms
    package var scrapeInterval: Int64
    /// ms
    package var scrapeTimeout: Int64
    package var scrapeProtocols: [ExpositionFormat]
    package var fallbackProtocol: ExpositionFormat?
    package var metricsPath = "/metrics"
    package var scheme = Scheme.http
    package var parameters: [Parameter] = []
    package var honorsLabels = false
    package var honorsTimestamps = true
    package var tracksTimestampStaleness = false
    package var enablesCompression = true
    package var addsExtraMetrics: Bool
    package var histograms: HistogramOptions
    /// Where failed scrapes are noted; "" for nowhere.
    package var failureLogFile: String
    package var limits: ScrapeLimits
    package var nameValidation: NameValidation
    package var nameEscaping: MetricNameEscaping
    package var relabelRules: [RelabelRule] = []
    package var metricRelabelRules: [RelabelRule] = []
    package var discovery = DiscoverySection()
    package var client = HTTPClientSection()

    /// A job with the defaults of `global`.
    package init(jobName: String, globals: ScrapeGlobals = ScrapeGlobals()) {
        self.jobName = jobName
        scrapeInterval = globals.scrapeInterval
        scrapeTimeout = globals.scrapeTimeout
        scrapeProtocols =
            globals.scrapeProtocols
            ?? globals.standardProtocols(globals.histograms)
        addsExtraMetrics = globals.addsExtraMetrics
        histograms = globals.histograms
        failureLogFile = globals.failureLogFile
        limits = globals.limits
        nameValidation = globals.nameValidation
        nameEscaping = globals.nameEscaping ?? globals.nameValidation.escaping
    }
}
