import ArgumentParser
import ConfigTree
import PromQLSyntax
import Rules
import Server

/// `hearth check`: looks at files, metrics and targets without a server.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check configuration and rule files, metrics and targets.",
        subcommands: [Config.self, RulesFiles.self, Metrics.self, Target.self])

    struct Config: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "config", abstract: "Check configuration files and the rule files they name.")

        @OptionGroup var features: FeatureOptions
        @Argument(help: "The configuration files.") var files: [String]

        func run() async throws {
            var failed = false
            for file in files {
                print("Checking \(file)")
                do {
                    let config = try ServerConfig.load(path: file, syntax: features.syntax)
                    if !config.ruleFiles.isEmpty { print("  SUCCESS: \(config.ruleFiles.count) rule files found") }
                    print(" SUCCESS: \(file) is valid prometheus config file syntax\n")
                    for rules in config.ruleFiles where !CheckCommand.report(rules.path, features.syntax) {
                        failed = true
                    }
                } catch {
                    print("  FAILED: \(error)\n")
                    failed = true
                }
            }
            if failed { throw ExitCode(1) }
        }
    }

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
