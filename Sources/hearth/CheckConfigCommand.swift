import ArgumentParser
import SeriesModel
import Server

#if canImport(Glibc)
    import Glibc
#endif

/// `hearth check config`, with the options and the words of `promtool check config`.
struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check configuration files and the files they name.",
        discussion: "Exit status: 0 where all is good, 1 for errors, 3 for lint errors with --lint-fatal.")

    @OptionGroup var features: CheckCommand.FeatureOptions

    @Flag(help: "Check the syntax only: leave alone the files that the configuration names.")
    var syntaxOnly = false

    @Option(help: "Lints: all, duplicate-rules, none, too-long-scrape-interval; several with commas.")
    var lint = "duplicate-rules"

    @Flag(help: "Let lint errors give exit status 3.")
    var lintFatal = false

    @Flag(help: "Take unknown fields in rule files.")
    var ignoreUnknownFields = false

    @Option(name: .customLong("query.lookback-delta"), help: "The server's lookback, for too-long-scrape-interval.")
    var lookbackDelta = "5m"

    @Flag(help: "Check for agent mode, which Hearth does not have.")
    var agent = false

    @Argument(help: "The configuration files.") var files: [String]

    func run() async throws {
        guard !agent else { throw failure("hearth: error: agent mode is not supported by Hearth") }
        for file in files where access(file, F_OK) != 0 {
            throw failure("hearth: error: path '\(file)' does not exist, try --help")
        }
        var options = ConfigCheck.Options()
        options.isSyntaxOnly = syntaxOnly
        options.isLintFatal = lintFatal
        options.ignoresUnknownFields = ignoreUnknownFields
        options.syntax = features.syntax
        do {
            options.setLints(lint, lookbackDelta: try DurationText.parse(lookbackDelta))
        } catch {
            throw failure("hearth: error: --query.lookback-delta: \(error)")
        }
        var check = ConfigCheck(options) { stream, line in
            switch stream {
            case .output:
                print(line)
                // Both streams may end in one file: in the order of what happened.
                fflush(nil)
            case .error: printError(line)
            }
        }
        let status = check.run(files)
        if status != 0 { throw ExitCode(status) }
    }
}
