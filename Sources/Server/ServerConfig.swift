package import ConfigTree
package import Notifier
package import PromQLSyntax
package import RemoteStorage
package import Rules
package import Scrape

#if canImport(Glibc)
    import Glibc
#endif

/// The whole configuration file, read and validated, and with it the files it names. A value: either all of it is good
/// or there is none.
///
/// Everything that Prometheus knows is read in full; what this server does nothing about yet is in `unserved`, and only
/// the server refuses it.
package struct ServerConfig: Sendable {
    package let path: String
    package var globals: ScrapeGlobals
    /// Those of the main file, then those of `scrape_config_files`.
    package var scrapeConfigs: [ScrapeConfig]
    package var alerting: AlertingSection
    package var storage: StorageSection
    package var remoteWrites: [RemoteWriteSection]
    package var remoteReads: [RemoteReadSection]
    /// Nil where the file does not have the section.
    package var otlp: OTLPSection?
    package var tracing: TracingSection?
    /// As written.
    package var ruleFilePatterns: [String]
    package var scrapeConfigFilePatterns: [String]
    /// Empty until `readRuleFiles`.
    package var ruleFiles: [RuleFile] = []
    /// Sections and keys that mean something to Prometheus and nothing here yet.
    package private(set) var unserved: [ConfigError] = []
    private var mainScrapeConfigCount = 0
    private let baseDirectory: String
    /// Where each job was found.
    private var jobNames: [String: String] = [:]

    /// Reads the file and the files that it names.
    /// - Parameters:
    ///   - syntax: what expressions in rules may use.
    ///   - prefersProtobuf: of jobs that do not say.
    /// - Throws: `ConfigLoadError`.
    package static func load(
        path: String, syntax: ParserOptions, prefersProtobuf: Bool = false
    ) throws(ConfigLoadError) -> ServerConfig {
        var config = try read(path: path, prefersProtobuf: prefersProtobuf)
        try config.readScrapeConfigFiles()
        try config.readRuleFiles(syntax: syntax)
        return config
    }

    /// As `load`, for the server: what it does nothing about is refused, lest an operator trust in it.
    package static func loadServed(
        path: String, syntax: ParserOptions, prefersProtobuf: Bool = false
    ) throws(ConfigLoadError) -> ServerConfig {
        let config = try load(path: path, syntax: syntax, prefersProtobuf: prefersProtobuf)
        if let first = config.unserved.first { throw .unserved(first) }
        if let complaint = RemoteWriteSender.complaint(about: config.remoteWrites) { throw .remoteWrite(complaint) }
        return config
    }

    /// Reads the main file alone.
    /// - Parameter environment: the value of a variable, for `external_labels`.
    package static func read(
        path: String, prefersProtobuf: Bool = false, environment: (String) -> String? = processEnvironment
    ) throws(ConfigLoadError) -> ServerConfig {
        let bytes: [UInt8]
        do throws(ConfigError) {
            bytes = try ConfigFile.read(path)
        } catch { throw .unreadable(error) }
        return try ServerConfig(main: bytes, path: path, prefersProtobuf, environment)
    }

    package static func processEnvironment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// - Parameter path: for messages, and as the base of relative paths.
    package init(text: String, path: String, syntax: ParserOptions) throws(ConfigLoadError) {
        try self.init(main: Array(text.utf8), path: path, false, ServerConfig.processEnvironment)
        try readScrapeConfigFiles()
        try readRuleFiles(syntax: syntax)
    }

    private init(
        main bytes: [UInt8], path: String, _ prefersProtobuf: Bool, _ environment: (String) -> String?
    ) throws(ConfigLoadError) {
        do throws(ConfigError) {
            try self.init(bytes, path, prefersProtobuf, environment)
        } catch { throw .main(path, error) }
    }

    private init(
        _ bytes: [UInt8], _ path: String, _ prefersProtobuf: Bool, _ environment: (String) -> String?
    ) throws(ConfigError) {
        self.path = path
        let base = ConfigFile.directory(of: path)
        baseDirectory = base
        var section = try ServerConfig.tree(bytes, path).section("config.plain")
        globals = try ScrapeGlobals(
            section.take("global"), baseDirectory: base, prefersProtobuf: prefersProtobuf, environment: environment)
        let isLegacy = globals.nameValidation == .legacy
        ruleFilePatterns = try ServerConfig.patterns(section.take("rule_files"), "rule file")
        scrapeConfigFilePatterns = try ServerConfig.patterns(
            section.take("scrape_config_files"), "scrape config file")
        scrapeConfigs = []
        let jobs = try section.sequence("scrape_configs", "[]*config.ScrapeConfig") ?? []
        alerting = try AlertingSection(
            section.take("alerting"), baseDirectory: base, requiresLegacyNames: isLegacy)
        storage = try StorageSection(section.take("storage"))
        remoteWrites = try RemoteWriteSection.list(
            section.sequence("remote_write", "[]*config.RemoteWriteConfig") ?? [],
            baseDirectory: base, requiresLegacyNames: isLegacy)
        let remoteRead = section.take("remote_read")
        remoteReads = try RemoteReadSection.list(
            remoteRead?.sequence("[]*config.RemoteReadConfig") ?? [], baseDirectory: base)
        let otlpNode = section.present("otlp")
        otlp = try otlpNode.map { node throws(ConfigError) in
            try OTLPSection(node, requiresLegacyNames: isLegacy)
        }
        let tracingNode = section.present("tracing")
        tracing = try tracingNode.map { node throws(ConfigError) in
            try TracingSection(node, baseDirectory: base)
        }
        try ServerConfig.checkRuntime(section.take("runtime"))
        try section.finish()
        if !remoteReads.isEmpty { note("\"remote_read\"", remoteRead) }
        // What only repeats the defaults asks for nothing.
        if otlp != OTLPSection() { note("\"otlp\"", otlpNode) }
        note("\"tracing\"", tracingNode)
        try append(jobs, baseDirectory: base, source: nil)
        mainScrapeConfigCount = scrapeConfigs.count
    }

    private static func tree(_ bytes: [UInt8], _ path: String) throws(ConfigError) -> ConfigNode {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigError(.syntax, file: path, message: "invalid UTF-8")
        }
        return try ConfigNode.parse(text, file: path)
    }

    /// `*` may stand in the last part of a path only.
    private static func patterns(_ node: ConfigNode?, _ what: String) throws(ConfigError) -> [String] {
        var patterns: [String] = []
        for item in try node?.sequence() ?? [] {
            let pattern = try item.string()
            if pattern.drop(while: { $0 != "*" }).contains("/") {
                throw item.error("invalid \(what) path \"\(pattern)\"")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    /// Settings of Prometheus' own runtime: they have no meaning here, and do no harm.
    private static func checkRuntime(_ node: ConfigNode?) throws(ConfigError) {
        guard let node, !node.isNull else { return }
        var section = try node.section("config.RuntimeConfig")
        _ = try section.int("gogc")
        try section.finish()
    }

    private mutating func note(_ what: String, _ node: ConfigNode?) {
        guard let node else { return }
        unserved.append(node.error("\(what) is not supported by Hearth yet"))
    }

    private mutating func append(
        _ jobs: [ConfigNode], baseDirectory: String, source: String?
    ) throws(ConfigError) {
        scrapeConfigs += try ScrapeConfig.parseAll(
            jobs, globals: globals, baseDirectory: baseDirectory, names: &jobNames, source: source)
    }

    /// The configuration in force: defaults filled in, comments gone, secrets masked.
    package var yaml: String {
        var entries: [(key: String, value: ConfigOutput)] = [("global", globals.output)]
        if let alerting = alerting.output { entries.append(("alerting", alerting)) }
        for (key, patterns) in [
            ("rule_files", ruleFilePatterns), ("scrape_config_files", scrapeConfigFilePatterns),
        ] where !patterns.isEmpty {
            entries.append((key, .list(patterns.map { .text(ConfigFile.resolve($0, in: baseDirectory)) })))
        }
        if mainScrapeConfigCount > 0 {
            entries.append(("scrape_configs", .list(scrapeConfigs.prefix(mainScrapeConfigCount).map(\.output))))
        }
        if let storage = storage.output { entries.append(("storage", storage)) }
        if let tracing { entries.append(("tracing", tracing.output)) }
        if !remoteWrites.isEmpty { entries.append(("remote_write", .list(remoteWrites.map(\.output)))) }
        if !remoteReads.isEmpty { entries.append(("remote_read", .list(remoteReads.map(\.output)))) }
        if let otlp { entries.append(("otlp", otlp.output)) }
        return ConfigOutput.mapping(entries).yaml
    }
}

// MARK: - Further files

extension ServerConfig {
    /// The files that `rule_files` names, in order, each once.
    package var ruleFilePaths: [String] { paths(ruleFilePatterns) }

    private func paths(_ patterns: [String]) -> [String] {
        var seen: Set<String> = []
        return patterns.flatMap { ConfigFile.expand(glob: ConfigFile.resolve($0, in: baseDirectory)) }
            .filter { seen.insert($0).inserted }
    }

    /// Reads the rule files.
    package mutating func readRuleFiles(syntax: ParserOptions) throws(ConfigLoadError) {
        ruleFiles = []
        for path in ruleFilePaths {
            do throws(RuleFileError) {
                ruleFiles.append(
                    try RuleFile(
                        readingFrom: path, requiresLegacyNames: globals.nameValidation == .legacy, syntax: syntax))
            } catch { throw .rules(error) }
        }
    }

    /// Reads the files with further jobs. A file that two patterns name is read twice, and its jobs are then there
    /// twice, which is an error.
    package mutating func readScrapeConfigFiles() throws(ConfigLoadError) {
        for pattern in scrapeConfigFilePatterns {
            for path in ConfigFile.expand(glob: ConfigFile.resolve(pattern, in: baseDirectory)) {
                do throws(ConfigError) {
                    let root = try ServerConfig.tree(try ConfigFile.read(path), path)
                    var section = try root.section("config.ScrapeConfigs")
                    let jobs = try section.sequence("scrape_configs") ?? []
                    try section.finish()
                    try append(
                        jobs, baseDirectory: ConfigFile.directory(of: path),
                        source: "\"\(ConfigFile.absolute(path))\"")
                } catch { throw .scrapeFile(path, error) }
            }
        }
    }

    /// What a server in agent mode does not do.
    package func checkAgentMode() throws(ConfigLoadError) {
        if alerting != AlertingSection() { throw .agent("alerting") }
        if !ruleFilePatterns.isEmpty { throw .agent("rule_files") }
        if !remoteReads.isEmpty { throw .agent("remote_read") }
    }
}
