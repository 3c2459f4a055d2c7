private import ConfigTree
package import PromQLSyntax
private import SeriesModel
private import Templating

extension RuleFile {
    /// Reads and checks a rule file's text. Only the first YAML document counts, as upstream has it.
    /// - Parameters:
    ///   - path: as configured.
    ///   - requiresLegacyNames: `metric_name_validation_scheme: legacy`
    ///   - ignoresUnknownFields: whether keys that nobody knows are taken.
    /// - Throws: `RuleFileError`: bad YAML and unknown keys alone, everything else that is wrong together.
    package init(
        parsing text: String, path: String, requiresLegacyNames: Bool = false, ignoresUnknownFields: Bool = false,
        syntax: ParserOptions = ParserOptions()
    ) throws(RuleFileError) {
        var reader = RuleFileReader(requiresLegacyNames: requiresLegacyNames, syntax: syntax)
        let groups: [RuleGroupDefinition]
        do throws(ConfigError) {
            let root = try ConfigNode.parse(RuleFile.firstDocument(of: text), file: path)
            groups = try reader.groups(ignoresUnknownFields ? root.toleratingUnknownKeys() : root)
        } catch {
            throw RuleFileError([error])
        }
        if !reader.errors.isEmpty { throw RuleFileError(reader.errors) }
        self.init(path: path, groups: groups)
    }

    /// Reads a rule file.
    /// - Throws: `RuleFileError`; a file that cannot be read is one.
    package init(
        readingFrom path: String, requiresLegacyNames: Bool = false, ignoresUnknownFields: Bool = false,
        syntax: ParserOptions = ParserOptions()
    ) throws(RuleFileError) {
        let bytes: [UInt8]
        do throws(ConfigError) {
            bytes = try ConfigFile.read(path)
        } catch {
            throw RuleFileError([error])
        }
        try self.init(
            parsing: String(decoding: bytes, as: UTF8.self), path: path, requiresLegacyNames: requiresLegacyNames,
            ignoresUnknownFields: ignoresUnknownFields, syntax: syntax)
    }

    /// The text up to the marker that begins a second document.
    static func firstDocument(of text: String) -> String {
        var hasContent = false
        var offset = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let isMarker = line.starts(with: "---".utf8) && line.dropFirst(3).allSatisfy { $0 == 0x20 || $0 == 0x0D }
            let isEnd = line.starts(with: "...".utf8) && line.dropFirst(3).allSatisfy { $0 == 0x20 || $0 == 0x0D }
            if hasContent, isMarker || isEnd { return String(decoding: Array(text.utf8.prefix(offset)), as: UTF8.self) }
            let first = line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
            if let first, first != UInt8(ascii: "#"), first != UInt8(ascii: "%"), !isMarker { hasContent = true }
            offset += line.count + 1
        }
        return text
    }
}

/// Collects what is wrong with the contents; throws only where the structure itself is broken.
private struct RuleFileReader {
    let requiresLegacyNames: Bool
    let syntax: ParserOptions
    var errors: [ConfigError] = []

    mutating func groups(_ root: ConfigNode) throws(ConfigError) -> [RuleGroupDefinition] {
        var section = try root.section("rulefmt.RuleGroups")
        let nodes = try section.sequence("groups") ?? []
        try section.finish()
        var groups: [RuleGroupDefinition] = []
        for node in nodes {
            let (group, nameNode) = try group(node)
            if group.name.isEmpty {
                errors.append(nameNode.error("groupname must not be empty"))
            } else if groups.contains(where: { $0.name.hasSameBytes(as: group.name) }) {
                errors.append(
                    nameNode.error("groupname: \"\(group.name)\" is repeated in the same file"))
            }
            groups.append(group)
        }
        return groups
    }

    private mutating func group(_ node: ConfigNode) throws(ConfigError) -> (RuleGroupDefinition, ConfigNode) {
        var section = try node.section("rulefmt.RuleGroup")
        let nameNode = section.take("name")
        var group = RuleGroupDefinition(name: try nameNode?.string() ?? "")
        if let intervalNode = section.take("interval") {
            let interval = try intervalNode.duration()
            if interval > 0 { group.interval = interval }
        }
        group.queryOffset = try section.duration("query_offset")
        if let limitNode = section.take("limit") {
            let limit = try limitNode.int()
            group.limit = max(0, limit)
        }
        let labels = try texts(section.take("labels"))
        for (key, keyNode, _) in labels where !isLabelName(key) {
            errors.append(keyNode.error("invalid label name: \(key)"))
        }
        for (index, ruleNode) in (try section.sequence("rules") ?? []).enumerated() {
            let place = "group \(GoQuote.quote(group.name)), rule \(index + 1)"
            if let rule = try rule(ruleNode, groupLabels: labels, place: place) { group.rules.append(rule) }
        }
        try section.finish()
        return (group, nameNode ?? node)
    }

    private typealias Texts = [(key: String, keyNode: ConfigNode, value: ConfigNode)]

    private func texts(_ node: ConfigNode?) throws(ConfigError) -> Texts {
        var texts: Texts = []
        for entry in try node?.entries() ?? [] { texts.append((entry.key, entry.keyNode, entry.value)) }
        return texts
    }

    // MARK: Rules

    /// Nil where an error was noted.
    private mutating func rule(
        _ node: ConfigNode, groupLabels: Texts, place: String
    ) throws(ConfigError) -> RuleDefinition? {
        var section = try node.section("rulefmt.Rule")
        let recordNode = section.take("record")
        let alertNode = section.take("alert")
        let expressionNode = section.take("expr")
        let record = try recordNode?.string() ?? ""
        let alert = try alertNode?.string() ?? ""
        let holdNode = section.take("for")
        let hold = try holdNode?.duration() ?? 0
        let keepNode = section.take("keep_firing_for")
        let keep = try keepNode?.duration() ?? 0
        let labels = try texts(section.take("labels"))
        let annotationsNode = section.take("annotations")
        let annotations = try texts(annotationsNode)
        try section.finish()

        let errorCount = errors.count
        let name = record.isEmpty ? alert : record
        let prefix = "\(place), \(GoQuote.quote(name)): "
        func note(_ node: ConfigNode?, _ message: String) -> ConfigError {
            (node ?? section.node).error(prefix + message)
        }
        if !record.isEmpty, !alert.isEmpty {
            errors.append(note(recordNode, "only one of 'record' and 'alert' must be set"))
        } else if name.isEmpty {
            errors.append(note(nil, "one of 'record' or 'alert' must be set"))
        }
        let query = try expression(expressionNode, prefix, section.node)
        if !record.isEmpty {
            if !annotations.isEmpty {
                errors.append(note(annotationsNode, "invalid field 'annotations' in recording rule"))
            }
            if hold != 0 { errors.append(note(holdNode, "invalid field 'for' in recording rule")) }
            if keep != 0 { errors.append(note(keepNode, "invalid field 'keep_firing_for' in recording rule")) }
            if let message = complaint(aboutMetric: record) { errors.append(note(recordNode, message)) }
        }
        for (key, keyNode, _) in labels where !isLabelName(key) {
            errors.append(note(keyNode, "invalid label name: \(key)"))
        }
        for (key, keyNode, _) in annotations where !isAnnotationName(key) {
            errors.append(note(keyNode, "invalid annotation name: \(key)"))
        }
        if record.isEmpty {
            try checkTemplates(labels, "label", prefix, alert: alert)
            try checkTemplates(annotations, "annotation", prefix, alert: alert)
        }
        guard errors.count == errorCount, let query else { return nil }
        let kind: RuleDefinition.Kind =
            record.isEmpty
            ? .alerting(hold: hold, keepFiringFor: keep, annotations: try labelSet(annotations)) : .recording
        return RuleDefinition(name: name, query: query, labels: try merged(groupLabels, labels), kind: kind)
    }

    private mutating func expression(
        _ node: ConfigNode?, _ prefix: String, _ ruleNode: ConfigNode
    ) throws(ConfigError) -> String? {
        let text = try node?.string() ?? ""
        guard let node, !text.isEmpty else {
            errors.append(ruleNode.error(prefix + "field 'expr' must be set in rule"))
            return nil
        }
        do throws(ParseError) {
            return try Parser.parse(text, options: syntax).description
        } catch {
            errors.append(node.error(prefix + "could not parse expression: \(error)"))
            return nil
        }
    }

    /// A rule's own labels win over those of its group.
    private func merged(_ groupLabels: Texts, _ labels: Texts) throws(ConfigError) -> [Label] {
        var merged: [Label] = []
        for (key, _, value) in groupLabels where !labels.contains(where: { $0.key.hasSameBytes(as: key) }) {
            merged.append(Label(key, try value.string()))
        }
        for (key, _, value) in labels { merged.append(Label(key, try value.string())) }
        return merged.sorted()
    }

    private func labelSet(_ texts: Texts) throws(ConfigError) -> LabelSet {
        var labels: [Label] = []
        for (key, _, value) in texts { labels.append(Label(key, try value.string())) }
        return LabelSet(labels)
    }

    private mutating func checkTemplates(
        _ texts: Texts, _ what: String, _ prefix: String, alert: String
    ) throws(ConfigError) {
        for (key, _, value) in texts {
            let text = try value.string()
            do throws(TemplateError) {
                _ = try AlertTemplate.parse(text, alert: alert)
            } catch {
                errors.append(value.error(prefix + "\(what) \(GoQuote.quote(key)): \(error.detail)"))
            }
        }
    }

    // MARK: Names

    private func isLabelName(_ name: String) -> Bool {
        isAnnotationName(name) && !name.hasSameBytes(as: Label.metricName)
    }

    private func isAnnotationName(_ name: String) -> Bool {
        requiresLegacyNames ? LabelName.isLegacyLabelName(name) : LabelName.isValid(name)
    }

    private func complaint(aboutMetric name: String) -> String? {
        if name.utf8.contains(UInt8(ascii: "{")) || name.utf8.contains(UInt8(ascii: "}")) {
            return "braces present in the recording rule name; should it be in expr?: \(name)"
        }
        let isValid = requiresLegacyNames ? LabelName.isLegacyMetricName(name) : LabelName.isValid(name)
        return isValid ? nil : "invalid recording rule name: \(name)"
    }
}
