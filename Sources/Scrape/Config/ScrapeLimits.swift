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

    /// Takes the limits out of a section; what it does not say stays as it is.
    mutating func take(from section: inout ConfigSection) throws(ConfigError) {
        bodyBytes = try section.size("body_size_limit") ?? bodyBytes
        samples = try section.unsigned("sample_limit") ?? samples
        targets = try section.unsigned("target_limit") ?? targets
        labels = try section.unsigned("label_limit") ?? labels
        labelNameLength = try section.unsigned("label_name_length_limit") ?? labelNameLength
        labelValueLength = try section.unsigned("label_value_length_limit") ?? labelValueLength
        keptDroppedTargets = try section.unsigned("keep_dropped_targets") ?? keptDroppedTargets
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
