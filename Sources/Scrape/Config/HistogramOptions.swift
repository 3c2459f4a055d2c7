import ConfigTree

/// What is done with histograms: the keys about them in `global` and in a job.
package struct HistogramOptions: Sendable, Hashable {
    package var scrapesNative = false
    /// Whether classic histograms become native ones with custom buckets.
    package var convertsClassic = false
    /// Whether the classic form is taken too where there is a native one.
    package var alwaysScrapesClassic = false
    /// Buckets of a native histogram beyond which it is coarsened; 0 for no limit. Of a job only.
    package var bucketLimit = 0
    /// The least growth from one bucket to the next; 0 for any. Of a job only.
    package var minBucketFactor = 0.0

    package init() {}

    /// Takes the keys that `global` and jobs share; what the section does not say stays as it is.
    mutating func take(from section: inout ConfigSection) throws(ConfigError) {
        scrapesNative = try section.present("scrape_native_histograms")?.bool() ?? scrapesNative
        convertsClassic = try section.present("convert_classic_histograms_to_nhcb")?.bool() ?? convertsClassic
        alwaysScrapesClassic = try section.present("always_scrape_classic_histograms")?.bool() ?? alwaysScrapesClassic
    }

    /// Takes the keys that only jobs have.
    mutating func takeLimits(from section: inout ConfigSection) throws(ConfigError) {
        bucketLimit = try section.unsigned("native_histogram_bucket_limit") ?? 0
        minBucketFactor = try section.double("native_histogram_min_bucket_factor") ?? 0
    }

    var output: [(key: String, value: ConfigOutput)] {
        [
            ("scrape_native_histograms", .flag(scrapesNative)),
            ("always_scrape_classic_histograms", .flag(alwaysScrapesClassic)),
            ("convert_classic_histograms_to_nhcb", .flag(convertsClassic)),
        ]
    }

    var limitsOutput: [(key: String, value: ConfigOutput)] {
        var entries: [(key: String, value: ConfigOutput)] = []
        if bucketLimit > 0 { entries.append(("native_histogram_bucket_limit", .number(bucketLimit))) }
        if minBucketFactor != 0 { entries.append(("native_histogram_min_bucket_factor", .plain("\(minBucketFactor)"))) }
        return entries
    }
}
