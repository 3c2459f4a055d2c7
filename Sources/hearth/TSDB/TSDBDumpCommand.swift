import ArgumentParser
import FileIO
import SeriesModel
import TSDB

/// `hearth tsdb dump`: all samples, in promtool's lines.
struct TSDBDumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Print samples: labels, value, timestamp in milliseconds.",
        discussion: TSDBDumpOptions.discussion)

    @OptionGroup var options: TSDBDumpOptions

    func run() async throws { try options.run(.plain) }
}

/// `hearth tsdb dump-openmetrics`.
struct TSDBDumpOpenMetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump-openmetrics", abstract: "Print samples in OpenMetrics' format, without native histograms.",
        discussion: TSDBDumpOptions.discussion)

    @OptionGroup var options: TSDBDumpOptions

    func run() async throws { try options.run(.openMetrics) }
}

struct TSDBDumpOptions: ParsableArguments {
    static let discussion = "Reads only; a server may be running there. What cannot be read is named on standard error."

    @Option(help: "Minimum timestamp to dump, in milliseconds.") var minTime = Int64.min
    @Option(help: "Maximum timestamp to dump, in milliseconds.") var maxTime = Int64.max
    @Option(help: "Series selector. Can be repeated.") var match: [String] = []
    @Argument(help: "The data directory.") var directory: String = "data/"

    func run(_ format: SampleDump.Format) throws {
        let selectors = match.isEmpty ? [[]] : try match.map { try TSDBCommand.matchers($0) }
        do {
            let store = try ReadOnlyStore(fileSystem: PosixFileSystem(), directory: directory)
            let set = try store.select(selectors, in: TimeRange(min: minTime, max: maxTime))
            try SampleDump.write(set, as: format) { print($0, terminator: "") }
            for damage in store.damages { printError(damage.description) }
            if !store.damages.isEmpty { throw ExitCode(1) }
        } catch let error as ExitCode {
            throw error
        } catch {
            throw failure("\(error)")
        }
    }
}
