import ArgumentParser
import ConfigTree
import PromQLSyntax
import Rules
import Server

/// `hearth check`: looks at files without a server.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check configuration and rule files.",
        subcommands: [Config.self, RulesFiles.self])

    struct Config: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "config", abstract: "Check configuration files and the rule files they name.")

        @Argument(help: "The configuration files.") var files: [String]

        func run() async throws {
            var failed = false
            for file in files {
                print("Checking \(file)")
                do {
                    let config = try ServerConfig.load(path: file, syntax: .everything)
                    if !config.ruleFiles.isEmpty { print("  SUCCESS: \(config.ruleFiles.count) rule files found") }
                    print(" SUCCESS: \(file) is valid prometheus config file syntax\n")
                    for rules in config.ruleFiles { failed = !CheckCommand.report(rules.path) || failed }
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

        @Argument(help: "The rule files.") var files: [String]

        func run() async throws {
            var failed = false
            for file in files { failed = !CheckCommand.report(file) || failed }
            if failed { throw ExitCode(1) }
        }
    }

    /// - Returns: whether the file is good.
    private static func report(_ path: String) -> Bool {
        let check = RuleCheck(path: path, syntax: .everything)
        print("Checking \(path)")
        print(check.report.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n") + "\n")
        return check.errors.isEmpty
    }
}
