import ArgumentParser
import Blocks
import FileIO
import SeriesModel
import TSDB

/// `hearth tsdb analyze`: churn and cardinality of a block, in promtool's words.
struct TSDBAnalyzeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Analyze churn and label cardinality of a block.",
        discussion: "Reads only; a server may be running there.")

    @Option(help: "How many items to show in each list.") var limit = 20
    @Flag(help: "Show also how full the chunks are.") var extended = false
    @Option(help: "Series selector; the figures are of what it selects.") var match: String?
    @Argument(help: "The data directory.") var directory: String = "data/"
    @Argument(help: "The block; the last one when left out.") var block: String?

    func run() async throws {
        let matchers = try TSDBCommand.matchers(match)
        do {
            let found = try BlockInspection(fileSystem: PosixFileSystem(), directory: directory)
            for damage in found.damages + found.prometheusDamages { printError(damage.description) }
            let chosen = found.rows.last { block == nil || $0.identifier.description == block }
            guard let chosen,
                let analysis = try found.analysis(of: chosen.identifier, matchers: matchers, limit: limit)
            else { throw failure(block.map { "block \($0) not found" } ?? "no blocks found") }
            show(analysis, of: chosen)
        } catch let error as ExitCode {
            throw error
        } catch {
            throw failure("\(error)")
        }
    }

    private func show(_ analysis: BlockAnalysis, of block: BlockInspection.Row) {
        print("Block ID: \(block.identifier)")
        print(
            "Duration: " + GoText.duration(milliseconds: block.range.max.subtractingClamped(block.range.min)))
        print("Series: \(analysis.matchedSeriesCount)")
        if let match { print("Matcher: \(match) (of \(analysis.seriesCount) series)") }
        print("Label names: \(analysis.labelNameCount)")
        print("Postings (unique label pairs): \(analysis.labelPairCount)")
        print("Postings entries (total label pairs): \(analysis.entryCount)")
        show("Label pairs most involved in churning", analysis.churningPairs)
        show("Label names most involved in churning", analysis.churningNames)
        show("Most common label pairs", analysis.commonPairs)
        show("Label names with highest cumulative label value length", analysis.longestNames)
        show("Highest cardinality labels", analysis.widestNames)
        show("Highest cardinality metric names", analysis.largestMetrics)
        if extended { showFullness(analysis) }
    }

    private func show(_ title: String, _ rows: [BlockAnalysis.Row]) {
        print("\n\(title):")
        for row in rows { print("\(row.value) \(row.name)") }
    }

    private func showFullness(_ analysis: BlockAnalysis) {
        print("\nCompaction analysis:")
        print("Fullness: Amount of samples in chunks (100% is \(analysis.fullChunk) samples)")
        let total = max(1, analysis.fullness.reduce(0, +))
        for (tenth, count) in analysis.fullness.enumerated() {
            let label = String((tenth + 1) * 10)
            let bar = String(repeating: "#", count: 100 * count / total)
            print(String(repeating: " ", count: 7 - label.count) + "\(label)%: \(bar)")
        }
    }
}
