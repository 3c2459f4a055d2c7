import ArgumentParser
import BlockTransfer
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
            TSDBRebuildCatalogCommand.self,
            TSDBRetentionCommand.self,
            TSDBExportCommand.self,
            TSDBImportCommand.self,
            TSDBCreateBlocksCommand.self,
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

    /// The length of blocks for a duration that they may have at most. ms
    static func blockLength(_ duration: String) throws -> Int64 {
        do {
            return BlockWindows.length(atMost: try DurationText.parse(duration))
        } catch {
            throw failure("--max-block-duration: \(error)")
        }
    }

    /// A line about a block that was written.
    /// - Parameter range: the end is excluded. ms
    static func printBlock(_ name: String, _ range: TimeRange, series: Int, samples: Int) {
        print("\(name) mint=\(range.min) maxt=\(range.max) series=\(series) samples=\(samples)")
    }
}
