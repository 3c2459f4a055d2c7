import ArgumentParser
import BlockTransfer
import FileIO
import Logging
import PromQLSyntax
import PrometheusBlocks
import SelfMetrics
import SeriesModel
import StorageAPI
import TSDB

/// `hearth tsdb export`: writes the store's samples as blocks that Prometheus opens.
struct TSDBExportCommand: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case prometheus
    }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write samples as blocks of Prometheus'.",
        discussion: "The data directory must not be in use by a server; a snapshot of it can be exported at any time.")

    @Option(help: "The format of the blocks.") var format: Format = .prometheus
    @Option(help: "The first timestamp, in milliseconds.") var minTime: Int64 = .min
    @Option(help: "The last timestamp, in milliseconds.") var maxTime: Int64 = .max
    @Option(help: "A selector of the series; all of them when it is left out.") var match: String?
    @Option(help: "The longest a block may be: 2h, 6h, 18h and so on are.") var maxBlockDuration = "2h"
    @Argument(help: "The data directory.") var dataDirectory: String
    @Argument(help: "Where to write: a data directory of Prometheus', made where it is missing.") var output: String

    func run() async throws {
        let matchers = try TSDBCommand.matchers(match)
        let length = try TSDBCommand.blockLength(maxBlockDuration)
        let files = PosixFileSystem()
        guard files.exists(dataDirectory) else { throw failure("\(dataDirectory): no such directory") }
        do {
            let store = try TSDB.open(
                TSDBOptions(
                    directory: dataDirectory, logger: Logger(label: "tsdb") { _ in SwiftLogNoOpLogHandler() },
                    metrics: MetricsRegistry()))
            defer { store.close() }
            guard let range = store.timeRange else {
                print("There are no samples.")
                return
            }
            let wanted = TimeRange(min: max(minTime, range.min), max: min(maxTime, range.max))
            let export = PrometheusExport(store, fileSystem: files, directory: output, matchers: matchers)
            try export.run(wanted, blockLength: length, now: SystemClock().now()) { meta in
                TSDBCommand.printBlock(
                    meta.ulid, TimeRange(min: meta.minTime, max: meta.maxTime),
                    series: Int(clamping: meta.stats?.numSeries ?? 0),
                    samples: Int(clamping: meta.stats?.numSamples ?? 0))
            }
        } catch {
            throw failure("export failed: \(error)")
        }
    }
}
