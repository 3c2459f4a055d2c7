import ArgumentParser
import PromQLSyntax
import SeriesModel

/// `hearth tsdb`: looks at data directories, and moves samples into and out of them.
struct TSDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tsdb", abstract: "Look at data directories; move samples into and out of them.",
        subcommands: [
            TSDBListCommand.self,
            TSDBAnalyzeCommand.self,
            TSDBVerifyCommand.self,
            TSDBDumpCommand.self,
            TSDBDumpOpenMetricsCommand.self,
            TSDBRepairCommand.self,
        ])

    /// The conditions of a selector; none without one.
    static func matchers(_ selector: String?) throws -> [LabelMatcher] {
        guard let selector else { return [] }
        do throws(ParseError) {
            return try Parser.parseSelector(selector)
        } catch {
            throw failure("--match: \(error)")
        }
    }
}
