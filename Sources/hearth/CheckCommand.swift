import ArgumentParser
import PromQLSyntax
import Rules
import Server

/// `hearth check`: looks at files, metrics and targets without a server.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check configuration and rule files, metrics and targets.",
        subcommands: [
            CheckConfigCommand.self, RulesFiles.self, CheckDiscoveryCommand.self, Metrics.self, Target.self,
        ])

    struct RulesFiles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "rules", abstract: "Check rule files.")

        @OptionGroup var features: FeatureOptions
        @Argument(help: "The rule files.") var files: [String]

        func run() async throws {
            var failed = false
            for file in files { failed = !CheckCommand.report(file, features.syntax) || failed }
            if failed { throw ExitCode(1) }
        }
    }

    struct FeatureOptions: ParsableArguments {
        @Option(name: .customLong("enable-feature"), help: "Comma-separated features that expressions may use.")
        var names: [String] = []

        var syntax: ParserOptions {
            ParserOptions(features: names.flatMap { $0.split(separator: ",").map(String.init) })
        }
    }

    /// - Returns: whether the file is good.
    private static func report(_ path: String, _ syntax: ParserOptions) -> Bool {
        let check = RuleCheck(path: path, syntax: syntax)
        print("Checking \(path)")
        print(check.report.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n") + "\n")
        return check.errors.isEmpty
    }
}
