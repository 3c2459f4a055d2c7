import ArgumentParser
import PromQLTestKit

/// `hearth test`: runs tests of others' making.
struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run test scripts.", subcommands: [PromQL.self])

    struct PromQL: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "promql", abstract: "Run scripts of the PromQL test language.")

        @Argument(help: "The scripts.") var files: [String]

        func run() async throws {
            let outcome = await ScriptRunner.run(files: files) { print($0) }
            if outcome.failed > 0 { throw ExitCode(1) }
        }
    }
}
