package import ConfigTree
import SeriesModel

/// `otlp`: how metrics that arrive over OTLP become series.
package struct OTLPSection: Sendable, Hashable {
    package enum Translation: String, Sendable, CaseIterable {
        case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
        case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
        case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
        case noTranslation = "NoTranslation"

        /// Whether names may come out that are not of the legacy alphabet.
        package var keepsUTF8: Bool { self == .noUTF8EscapingWithSuffixes || self == .noTranslation }
    }

    package var promotesAllResourceAttributes = false
    package var promotedResourceAttributes: [String] = []
    package var ignoredResourceAttributes: [String] = []
    package var translation = Translation.underscoreEscapingWithSuffixes
    package var keepsIdentifyingResourceAttributes = false
    package var convertsHistograms = false
    package var promotesScopeMetadata = false
    package var sanitizesLabelUnderscores = true
    package var preservesMultipleUnderscores = true

    package init() {}

    /// - Parameter requiresLegacyNames: `metric_name_validation_scheme: legacy`
    package init(_ node: ConfigNode, requiresLegacyNames: Bool) throws(ConfigError) {
        guard !node.isNull else { return }
        var section = try node.section("config.plain")
        promotesAllResourceAttributes = try section.bool("promote_all_resource_attributes") ?? false
        let promoted = section.take("promote_resource_attributes")
        let ignored = section.take("ignore_resource_attributes")
        keepsIdentifyingResourceAttributes = try section.bool("keep_identifying_resource_attributes") ?? false
        convertsHistograms = try section.bool("convert_histograms_to_nhcb") ?? false
        promotesScopeMetadata = try section.bool("promote_scope_metadata") ?? false
        sanitizesLabelUnderscores = try section.bool("label_name_underscore_sanitization") ?? true
        preservesMultipleUnderscores = try section.bool("label_name_preserve_multiple_underscores") ?? true
        let strategy = section.take("translation_strategy")
        try section.finish()
        try takeAttributes(promoted, ignored, at: node)
        if let strategy { try takeTranslation(strategy, requiresLegacyNames) }
    }

    private mutating func takeAttributes(
        _ promoted: ConfigNode?, _ ignored: ConfigNode?, at place: ConfigNode
    ) throws(ConfigError) {
        let hasPromoted = try promoted.map { node throws(ConfigError) in try !node.sequence().isEmpty } ?? false
        let hasIgnored = try ignored.map { node throws(ConfigError) in try !node.sequence().isEmpty } ?? false
        if promotesAllResourceAttributes, hasPromoted {
            throw place.error(
                "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured "
                    + "simultaneously")
        }
        if !promotesAllResourceAttributes, hasIgnored {
            throw place.error(
                "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true")
        }
        promotedResourceAttributes = try OTLPSection.attributes(promoted, "promote_resource_attributes", "promoted")
        ignoredResourceAttributes = try OTLPSection.attributes(ignored, "ignore_resource_attributes", "ignored")
    }

    private static func attributes(
        _ node: ConfigNode?, _ key: String, _ adjective: String
    ) throws(ConfigError) -> [String] {
        var attributes: [String] = []
        var complaints: [String] = []
        for item in try node?.sequence() ?? [] {
            let isSpace: (Character) -> Bool = { $0.isWhitespace }
            let text = String(String(try item.string().drop(while: isSpace).reversed()).drop(while: isSpace).reversed())
            if text.isEmpty {
                complaints.append("empty \(adjective) OTel resource attribute")
            } else if attributes.contains(text) {
                complaints.append("duplicated \(adjective) OTel resource attribute \(GoQuote.quote(text))")
            } else {
                attributes.append(text)
            }
        }
        if let node, !complaints.isEmpty {
            throw node.error("invalid '\(key)': " + complaints.joined(separator: "\n"))
        }
        return attributes
    }

    private mutating func takeTranslation(_ node: ConfigNode, _ requiresLegacyNames: Bool) throws(ConfigError) {
        let name = try node.string()
        if name.isEmpty { return }
        guard let translation = Translation(rawValue: name) else {
            throw node.error("unsupported OTLP translation strategy \(GoQuote.quote(name))")
        }
        if translation.keepsUTF8, requiresLegacyNames {
            throw node.error(
                "OTLP translation strategy \(GoQuote.quote(name)) is not allowed when UTF8 is disabled")
        }
        self.translation = translation
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = []
        if promotesAllResourceAttributes { entries.append(("promote_all_resource_attributes", .flag(true))) }
        for (key, attributes) in [
            ("promote_resource_attributes", promotedResourceAttributes),
            ("ignore_resource_attributes", ignoredResourceAttributes),
        ] where !attributes.isEmpty { entries.append((key, .list(attributes.map { .text($0) }))) }
        entries.append(("translation_strategy", .text(translation.rawValue)))
        for (key, flag) in [
            ("keep_identifying_resource_attributes", keepsIdentifyingResourceAttributes),
            ("convert_histograms_to_nhcb", convertsHistograms), ("promote_scope_metadata", promotesScopeMetadata),
        ] where flag { entries.append((key, .flag(true))) }
        entries.append(("label_name_underscore_sanitization", .flag(sanitizesLabelUnderscores)))
        entries.append(("label_name_preserve_multiple_underscores", .flag(preservesMultipleUnderscores)))
        return .mapping(entries)
    }
}
