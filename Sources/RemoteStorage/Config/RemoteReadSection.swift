package import ConfigTree
package import OutboundHTTP
package import SeriesModel

/// One entry of `remote_read`.
package struct RemoteReadSection: Sendable, Hashable {
    package var url: ConfigURL
    /// "" where none is given.
    package var name = ""
    /// ms
    package var timeout: Int64 = 60_000
    /// Bytes of a frame that is taken.
    package var chunkedReadLimit = 50_000_000
    package var headers: [RequestHeader] = []
    /// Whether it is asked also for what this server holds itself.
    package var readsRecent = false
    /// Only selectors with these matchers are sent there.
    package var requiredMatchers = LabelSet.empty
    package var filtersExternalLabels = true
    package var client: HTTPClientSection

    /// Reads the whole list.
    package static func list(
        _ nodes: [ConfigNode], baseDirectory: String
    ) throws(ConfigError) -> [RemoteReadSection] {
        var sections: [RemoteReadSection] = []
        var names: Set<String> = []
        for node in nodes {
            guard !node.isNull else { throw node.error("empty or null remote read config section") }
            let section = try RemoteReadSection(node, baseDirectory: baseDirectory)
            guard section.name.isEmpty || names.insert(section.name).inserted else {
                throw node.error("found multiple remote read configs with job name \(GoQuote.quote(section.name))")
            }
            sections.append(section)
        }
        return sections
    }

    init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("config.plain")
        let urlNode = section.present("url")
        url = try urlNode.map { node throws(ConfigError) in try ConfigURL(node) } ?? ConfigURL("")
        name = try section.string("name") ?? ""
        timeout = try section.duration("remote_timeout") ?? timeout
        chunkedReadLimit = try section.unsigned("chunked_read_limit") ?? chunkedReadLimit
        readsRecent = try section.bool("read_recent") ?? false
        filtersExternalLabels = try section.bool("filter_external_labels") ?? true
        headers = try RequestHeader.list(section.take("headers"))
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        var matchers: [Label] = []
        for entry in try section.take("required_matchers")?.entries() ?? [] {
            guard LabelName.isValid(entry.key), entry.keyNode.invalidBytes == nil else {
                throw entry.keyNode.error("\(GoQuote.quote(entry.key)) is not a valid label name")
            }
            matchers.append(Label(entry.key, try entry.value.string()))
        }
        requiredMatchers = LabelSet(matchers)
        try section.finish()
        guard urlNode != nil else { throw node.error("url for remote_read is empty") }
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [
            ("url", .text(url.redacted)), ("remote_timeout", .plain(DurationText.format(timeout))),
            ("chunked_read_limit", .number(chunkedReadLimit)),
        ]
        entries += RequestHeader.output(headers)
        if readsRecent { entries.append(("read_recent", .flag(true))) }
        if !name.isEmpty { entries.append(("name", .text(name))) }
        entries += client.output
        if !requiredMatchers.isEmpty {
            entries.append(
                ("required_matchers", .mapping(requiredMatchers.map { ($0.name, .text($0.value)) })))
        }
        entries.append(("filter_external_labels", .flag(filtersExternalLabels)))
        return .mapping(entries)
    }
}
