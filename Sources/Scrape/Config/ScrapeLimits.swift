import ConfigTree

/// What one scrape may bring. 0 means no limit, everywhere.
package struct ScrapeLimits: Sendable, Hashable {
    /// Bytes, after decompression; a body of this size or more fails the scrape.
    package var bodyBytes: Int64 = 0
    /// Samples after relabelling.
    package var samples = 0
    /// Targets of the job.
    package var targets = 0
    /// Labels of a series.
    package var labels = 0
    /// Bytes.
    package var labelNameLength = 0
    package var labelValueLength = 0
    /// How many dropped targets are remembered.
    package var keptDroppedTargets = 0

    package init() {}

    /// Takes the limits out of a section; what it does not say, or says to be 0, stays as it is.
    mutating func take(from section: inout ConfigSection) throws(ConfigError) {
        if let size = try section.size("body_size_limit"), size > 0 { bodyBytes = size }
        try ScrapeLimits.take("sample_limit", from: &section, &samples)
        try ScrapeLimits.take("target_limit", from: &section, &targets)
        try ScrapeLimits.take("label_limit", from: &section, &labels)
        try ScrapeLimits.take("label_name_length_limit", from: &section, &labelNameLength)
        try ScrapeLimits.take("label_value_length_limit", from: &section, &labelValueLength)
        try ScrapeLimits.take("keep_dropped_targets", from: &section, &keptDroppedTargets)
    }

    private static func take(
        _ key: String, from section: inout ConfigSection, _ limit: inout Int
    ) throws(ConfigError) {
        if let value = try section.unsigned(key), value > 0 { limit = value }
    }

    /// The limits that are set.
    var output: [(key: String, value: ConfigOutput)] {
        var entries: [(key: String, value: ConfigOutput)] = []
        if bodyBytes > 0 { entries.append(("body_size_limit", .plain(ByteSize.format(bodyBytes)))) }
        let counts = [
            ("sample_limit", samples), ("target_limit", targets), ("label_limit", labels),
            ("label_name_length_limit", labelNameLength), ("label_value_length_limit", labelValueLength),
            ("keep_dropped_targets", keptDroppedTargets),
        ]
        for (key, count) in counts where count > 0 { entries.append((key, .number(count))) }
        return entries
    }
}
