package import ConfigTree
import Regexp
import SeriesModel

extension RelabelRule {
    /// Reads one entry of a `*_relabel_configs` list. What is left out, or empty in YAML's sense, has its default.
    /// - Parameter requiresLegacyNames: `metric_name_validation_scheme: legacy`
    package init(_ node: ConfigNode, requiresLegacyNames: Bool = false) throws(ConfigError) {
        var section = try node.section("relabel.plain")
        let action = try RelabelRule.action(section.take("action"))
        let sourceNode = section.present("source_labels")
        let sourceLabels = try RelabelRule.sourceLabels(sourceNode, legacy: requiresLegacyNames)
        let separator = try section.present("separator")?.string()
        let pattern = try RelabelRule.pattern(section.present("regex"))
        let modulus = try RelabelRule.modulus(section.present("modulus"))
        let targetLabel = try section.present("target_label")?.string()
        let replacement = try section.present("replacement")?.string()
        try section.finish()
        do {
            try self.init(
                action: action, sourceLabels: sourceLabels, separator: separator ?? RelabelRule.defaultSeparator,
                regex: pattern, modulus: modulus, targetLabel: targetLabel ?? "",
                replacement: replacement ?? RelabelRule.defaultReplacement, requiresLegacyNames: requiresLegacyNames)
        } catch {
            throw node.error(error.description)
        }
    }

    private static func action(_ node: ConfigNode?) throws(ConfigError) -> Action {
        guard let node else { return .replace }
        let text = try node.string()
        guard let action = Action(rawValue: text.lowercased()) else {
            throw node.error(
                text.isEmpty ? "relabel action cannot be empty" : "unknown relabel action " + GoQuote.quote(text))
        }
        return action
    }

    private static func sourceLabels(_ node: ConfigNode?, legacy: Bool) throws(ConfigError) -> [String] {
        guard let node else { return [] }
        var names: [String] = []
        for item in try node.sequence() {
            let name = try item.string()
            guard legacy ? LabelName.isLegacyLabelName(name) : LabelName.isValid(name) else {
                throw item.error("\(GoQuote.quote(name)) is not a valid label name")
            }
            names.append(name)
        }
        return names
    }

    private static func pattern(_ node: ConfigNode?) throws(ConfigError) -> Regexp.Pattern {
        guard let node else { return defaultRegex }
        let source = try node.string()
        if source == defaultRegex.source { return defaultRegex }
        do {
            return try Pattern(source)
        } catch {
            throw node.error("\(error)")
        }
    }

    private static func modulus(_ node: ConfigNode?) throws(ConfigError) -> UInt64 {
        guard let node else { return 0 }
        let text = try node.string()
        guard let modulus = UInt64(text) else { throw node.mismatch("uint64") }
        return modulus
    }

    /// The rule as the configuration's rendering shows it: every field that is not empty.
    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = []
        if !sourceLabels.isEmpty { entries.append(("source_labels", .list(sourceLabels.map(ConfigOutput.text)))) }
        // An empty text differs from the default, so it is shown.
        let isLabelAction = action == .labeldrop || action == .labelkeep
        if !isLabelAction { entries.append(("separator", .text(separator))) }
        entries.append(("regex", .text(regex.source)))
        if modulus != 0 { entries.append(("modulus", .number(modulus))) }
        if !targetLabel.isEmpty { entries.append(("target_label", .text(targetLabel))) }
        if !isLabelAction { entries.append(("replacement", .text(replacement))) }
        entries.append(("action", .plain(action.rawValue)))
        return .mapping(entries)
    }
}
