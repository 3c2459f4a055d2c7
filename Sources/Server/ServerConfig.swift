import ConfigTree
package import Notifier
package import PromQLSyntax
package import Rules
package import Scrape

#if canImport(Glibc)
    import Glibc
#endif

/// The whole configuration file, read and validated, and with it the rule files it names. A value: either all of it is
/// good or there is none.
package struct ServerConfig: Sendable {
    package var globals: ScrapeGlobals
    package var scrapeConfigs: [ScrapeConfig]
    package var alerting: AlertingSection
    package var storage: StorageSection
    /// As written.
    package var ruleFilePatterns: [String]
    package var ruleFiles: [RuleFile]

    /// Reads the file and the rule files that it names.
    /// - Parameter syntax: what expressions in rules may use.
    /// - Throws: `ConfigError` or `RuleFileError`, with file, line and column.
    package static func load(path: String, syntax: ParserOptions) throws -> ServerConfig {
        let bytes = try ConfigFile.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigError(file: path, message: "not valid UTF-8")
        }
        return try ServerConfig(text: text, path: path, syntax: syntax)
    }

    /// - Parameter path: for messages, and as the base of relative paths.
    package init(text: String, path: String, syntax: ParserOptions) throws {
        let baseDirectory = ConfigFile.directory(of: path)
        var section = try ConfigNode.parse(text, file: path).section("config.plain")
        globals = try ScrapeGlobals(section.take("global"), baseDirectory: baseDirectory) { name in
            getenv(name).map { String(cString: $0) }
        }
        scrapeConfigs = try ScrapeConfig.parseAll(
            try section.sequence("scrape_configs") ?? [], globals: globals, baseDirectory: baseDirectory)
        alerting = try AlertingSection(section.take("alerting"), baseDirectory: baseDirectory)
        storage = try StorageSection(section.take("storage"))
        ruleFilePatterns = []
        ruleFiles = []
        var seen: Set<String> = []
        for node in try section.sequence("rule_files") ?? [] {
            let pattern = try node.string()
            if ConfigFile.directory(of: pattern).contains("*") {
                throw node.error("invalid rule file path \"\(pattern)\": \"*\" may stand in the last part only")
            }
            ruleFilePatterns.append(pattern)
            for path in ConfigFile.expand(glob: ConfigFile.resolve(pattern, in: baseDirectory))
            where seen.insert(path).inserted {
                ruleFiles.append(try RuleFile(readingFrom: path, syntax: syntax))
            }
        }
        // Settings of Prometheus' own runtime: they have no meaning here, and do no harm.
        _ = section.take("runtime")
        try section.refuse(unsupported: [
            "scrape_config_files", "remote_write", "remote_read", "otlp", "tracing",
        ])
        try section.finish()
    }

    /// The configuration in force: defaults filled in, comments gone, secrets masked.
    package var yaml: String {
        var entries: [(key: String, value: ConfigOutput)] = [("global", globals.output)]
        if !ruleFilePatterns.isEmpty { entries.append(("rule_files", .list(ruleFilePatterns.map { .text($0) }))) }
        if let alerting = alerting.output { entries.append(("alerting", alerting)) }
        if !scrapeConfigs.isEmpty { entries.append(("scrape_configs", .list(scrapeConfigs.map(\.output)))) }
        if let storage = storage.output { entries.append(("storage", storage)) }
        return ConfigOutput.mapping(entries).yaml
    }
}
