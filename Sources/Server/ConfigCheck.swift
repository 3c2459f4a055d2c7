import ConfigTree
import Discovery
import Notifier
import OutboundHTTP
package import PromQLSyntax
import Rules
import Scrape
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// `hearth check config`: what `promtool check config` checks, in its words.
package struct ConfigCheck {
    package enum Stream: Sendable {
        case output, error
    }

    package struct Options: Sendable {
        /// Leaves the files alone that the configuration names.
        package var isSyntaxOnly = false
        package var lintsDuplicateRules = true
        /// Scrape intervals of this length and more are complained of; nil for none. ms
        package var scrapeIntervalLimit: Int64?
        package var isLintFatal = false
        /// In rule files.
        package var ignoresUnknownFields = false
        package var syntax = ParserOptions()
        /// What of `--lint` is not known.
        package private(set) var unknownLints: [String] = []

        package init() {}

        /// - Parameters:
        ///   - text: the value of `--lint`: names, separated by commas.
        ///   - lookbackDelta: ms
        package mutating func setLints(_ text: String, lookbackDelta: Int64) {
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
            let isNone = names.contains("none")
            lintsDuplicateRules = !isNone && names.contains { $0 == "all" || $0 == "duplicate-rules" }
            let limitsInterval = names.contains { $0 == "all" || $0 == "too-long-scrape-interval" }
            scrapeIntervalLimit = !isNone && limitsInterval && lookbackDelta > 0 ? lookbackDelta : nil
            let known: Set<Substring> = ["all", "none", "duplicate-rules", "too-long-scrape-interval"]
            unknownLints = names.filter { !known.contains($0) }.map(String.init)
        }
    }

    /// Why a check failed.
    private struct Failure: Error {
        let description: String
    }

    private static let failureStatus: Int32 = 1
    private static let lintStatus: Int32 = 3

    private let options: Options
    private let write: (Stream, String) -> Void
    /// Any complaint at all, and one that is no lint.
    private var hasFailed = false
    private var hasErrors = false

    /// - Parameter write: takes one line, without its end.
    package init(_ options: Options, write: @escaping (Stream, String) -> Void) {
        self.options = options
        self.write = write
    }

    /// - Returns: the exit status: 0 where all is good, 3 for lint errors that are fatal, 1 for all others.
    package mutating func run(_ files: [String]) -> Int32 {
        for lint in options.unknownLints { write(.output, "WARNING: unknown lint option \(lint)") }
        for file in files {
            write(.output, "Checking \(file)")
            var rules: [String] = []
            var jobs: [ScrapeConfig] = []
            do throws(Failure) {
                (rules, jobs) = try check(file)
                if !rules.isEmpty { write(.output, "  SUCCESS: \(rules.count) rule files found") }
                write(.output, " SUCCESS: \(file) is valid prometheus config file syntax")
            } catch {
                write(.error, "  FAILED: \(error.description)")
                (hasFailed, hasErrors) = (true, true)
            }
            write(.output, "")
            if options.isSyntaxOnly { continue }
            lintIntervals(jobs)
            for path in rules { checkRules(path) }
        }
        if hasErrors { return ConfigCheck.failureStatus }
        return hasFailed && options.isLintFatal ? ConfigCheck.lintStatus : 0
    }

    private func check(_ file: String) throws(Failure) -> (rules: [String], jobs: [ScrapeConfig]) {
        var config: ServerConfig
        do throws(ConfigLoadError) {
            config = try ServerConfig.read(path: file)
        } catch { throw Failure(description: error.description) }
        var rules: [String] = []
        if !options.isSyntaxOnly {
            rules = try ruleFiles(config)
            do throws(ConfigLoadError) {
                try config.readScrapeConfigFiles()
            } catch { throw Failure(description: "error loading scrape configs: \(error)") }
        }
        for job in config.scrapeConfigs { try check(job) }
        for section in config.alerting.alertmanagers {
            if let problem = section.targetProblem() { throw Failure(description: problem) }
            if options.isSyntaxOnly { continue }
            try checkFiles(section.discovery, "in alertmanager config") { section.targetProblem(in: $0) }
        }
        return (rules, config.scrapeConfigs)
    }

    /// A file that is named outright must be there.
    private func ruleFiles(_ config: ServerConfig) throws(Failure) -> [String] {
        let base = ConfigFile.directory(of: config.path)
        for pattern in config.ruleFilePatterns where !pattern.contains("*") {
            let path = ConfigFile.resolve(pattern, in: base)
            guard !ConfigFile.expand(glob: path).isEmpty else {
                throw Failure(description: "\(GoQuote.quote(path)) does not point to an existing file")
            }
        }
        return config.ruleFilePaths
    }

    private func check(_ job: ScrapeConfig) throws(Failure) {
        if let problem = job.targetProblem() { throw Failure(description: problem) }
        if options.isSyntaxOnly { return }
        if case .file(let path)? = job.client.authorization?.credentials {
            try checkExists(path, "authorization credentials or bearer token file")
        }
        if case .file(let path)? = job.client.tls.certificate { try checkExists(path, "client cert file") }
        if case .file(let path)? = job.client.tls.key { try checkExists(path, "client key file") }
        try checkFiles(job.discovery, "in scrape job \(GoQuote.quote(job.jobName))") { job.targetProblem(in: $0) }
    }

    private func checkExists(_ path: String, _ what: String) throws(Failure) {
        guard access(path, F_OK) != 0 else { return }
        let reason = String(cString: strerror(errno))
        let words = reason.prefix(1).lowercased() + reason.dropFirst()
        throw Failure(description: "error checking \(what) \(GoQuote.quote(path)): stat \(path): \(words)")
    }

    private func checkFiles(
        _ discovery: DiscoverySection, _ place: String, _ problem: ([TargetGroup]) -> String?
    ) throws(Failure) {
        for pattern in discovery.filePatterns {
            let paths = ConfigFile.expand(glob: pattern)
            if paths.isEmpty {
                write(.output, "  WARNING: file \(GoQuote.quote(pattern)) for file_sd \(place) does not exist")
            }
            for path in paths {
                let groups: [TargetGroup]
                do throws(ConfigError) {
                    groups = try TargetGroup.read(path)
                } catch { throw Failure(description: "checking SD file \(GoQuote.quote(pattern)): \(error)") }
                if let problem = problem(groups) { throw Failure(description: problem) }
            }
        }
    }

    // MARK: Lints

    private mutating func lintIntervals(_ jobs: [ScrapeConfig]) {
        guard let limit = options.scrapeIntervalLimit, let job = jobs.first(where: { $0.scrapeInterval >= limit })
        else { return }
        write(
            .error,
            "  FAILED: too long scrape interval found, data point will be marked as stale - job: \(job.jobName), "
                + "interval: \(DurationText.format(job.scrapeInterval))")
        hasFailed = true
    }

    private mutating func checkRules(_ path: String) {
        write(.output, "Checking \(path)")
        let check = RuleCheck(
            path: path, ignoresUnknownFields: options.ignoresUnknownFields, syntax: options.syntax)
        if !check.errors.isEmpty {
            write(.error, "  FAILED:")
            for error in check.errors { write(.error, error) }
            (hasFailed, hasErrors) = (true, true)
        } else if options.lintsDuplicateRules, !check.duplicates.isEmpty {
            write(.error, "  FAILED:")
            write(.error, "     lint error \(check.duplicates.count) duplicate rule(s) found.")
            for duplicate in check.duplicates {
                write(.error, "Metric: \(duplicate.name)\nLabel(s):")
                for label in duplicate.labels { write(.error, "\t\(label.name): \(label.value)") }
            }
            write(.error, "Might cause inconsistency while recording expressions")
            hasFailed = true
        } else {
            write(.output, "  SUCCESS: \(check.ruleCount) rules found")
        }
        write(.output, "")
    }
}
