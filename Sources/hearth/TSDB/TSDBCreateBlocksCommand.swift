import ArgumentParser
import BlockTransfer
import Blocks
import FileIO
import SeriesModel

/// `hearth tsdb create-blocks-from`: makes blocks of what is no store.
struct TSDBCreateBlocksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-blocks-from", abstract: "Make blocks of samples that come from elsewhere.",
        subcommands: [OpenMetrics.self])

    struct OpenMetrics: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "openmetrics",
            abstract: "Make blocks of a file in OpenMetrics' format, of samples of any age.",
            discussion: "Each sample needs a timestamp. A server that has the directory open notices within a minute.")

        @Option(help: "The longest a block may be: 2h, 6h, 18h and so on are.") var maxBlockDuration = "2h"
        @Flag(name: .shortAndLong, help: "Do not list the blocks.") var quiet = false
        @Argument(help: "The file.") var file: String
        @Argument(help: "The data directory, made where it is missing.") var directory: String = "data/"

        func run() async throws {
            let length = try TSDBCommand.blockLength(maxBlockDuration)
            let files = PosixFileSystem()
            do {
                var backfill = OpenMetricsBackfill()
                try backfill.read(file, fileSystem: files)
                let sink = BlockSink(fileSystem: files, dataDirectory: directory)
                try backfill.write(to: sink, blockLength: length, now: SystemClock().now()) { footer in
                    if quiet { return }
                    TSDBCommand.printBlock(
                        footer.identifier.description, footer.range, series: footer.seriesCount,
                        samples: footer.sampleCount)
                }
            } catch {
                throw failure("backfill failed: \(error)")
            }
        }
    }
}
