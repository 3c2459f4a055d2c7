import ArgumentParser
import Exposition
import Foundation

extension CheckCommand {
    struct Metrics: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "metrics",
            abstract: "Check metrics in the text format, given on standard input, for consistency and correctness.",
            discussion: "For example: curl -s http://localhost:9090/metrics | hearth check metrics --extended")

        enum Lint: String, ExpressibleByArgument, CaseIterable {
            case all, none
        }

        @Flag(help: "Print how many series each metric has.") var extended = false
        @Option(help: "Which checks to make; none leaves the counting of --extended.") var lint = Lint.all

        func run() async throws {
            let body = try FileHandle.standardInput.readToEnd() ?? Data()
            let check = MetricsCheck(Array(body), lints: lint == .all, extended: extended)
            if !check.errors.isEmpty { printError(check.errors, terminator: "") }
            print(check.output, terminator: "")
            if check.status != 0 { throw ExitCode(check.status) }
        }
    }
}
