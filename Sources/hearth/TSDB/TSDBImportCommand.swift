import ArgumentParser
import BlockTransfer
import Blocks
import FileIO
import PrometheusBlocks
import SeriesModel
import StorageAPI
import WAL

/// `hearth tsdb import`: takes in a data directory of Prometheus'.
struct TSDBImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in the blocks and the log of a Prometheus that is stopped.",
        discussion: """
            Prometheus' files stay as they are. What was imported already is passed over. A server that has the data
            directory open notices new blocks within a minute. Without a second directory the first is
            Hearth's too: the server serves what Prometheus left in its data directory, and what was taken in instead.
            """)

    @Argument(help: "The data directory of Prometheus.") var source: String
    @Argument(help: "The data directory of Hearth, made where it is missing; the same one when left out.")
    var dataDirectory: String?

    func run() async throws {
        let files = PosixFileSystem()
        let dataDirectory = dataDirectory ?? source
        let lock = try lockSource(files)
        defer { _ = lock }
        do throws(StorageError) {
            let importing = PrometheusImport(
                fileSystem: files, source: source, dataDirectory: dataDirectory, readsLog: hasLogOfPrometheus(files))
            let isComplete = try importing.run(report)
            if !isComplete { throw StorageError.invalid(reason: "not everything could be imported") }
        } catch {
            throw failure("import failed: \(error)")
        }
    }

    /// Where Hearth has the directory, the log in the usual place may be its own.
    private func hasLogOfPrometheus(_ files: PosixFileSystem) -> Bool {
        !LogDirectory.isOurs(fileSystem: files, directory: FilePath.join(source, "wal"))
    }

    /// Prometheus removes its lock file when it stops in order; one that is there may be of a server that runs.
    ///
    /// Where Hearth has opened the directory since, it is Hearth's server that may run, which notices what is taken in.
    private func lockSource(_ files: PosixFileSystem) throws -> DirectoryLock? {
        guard files.exists(FilePath.join(source, "lock")), !files.exists(FilePath.join(source, "FORMAT")) else {
            return nil
        }
        do throws(DirectoryLock.Refusal) {
            return try DirectoryLock(source)
        } catch {
            throw failure("import failed: \(error): stop Prometheus first")
        }
    }

    private func report(_ event: PrometheusImport.Event) {
        switch event {
        case .block(let path, let outcome): report(path, outcome)
        case .log(let series, let report):
            print("log: \(series) series, \(report.sampleCount) samples behind the blocks")
            for damage in report.damages { printError("log: \(damage)") }
            if report.orphanCount > 0 { printError("log: \(report.orphanCount) samples of series that are not in it") }
            if report.unknownRecordCount > 0 {
                printError("log: \(report.unknownRecordCount) records of types that are not known")
            }
            if report.invalidCount > 0 { printError("log: \(report.invalidCount) histograms or series are unsound") }
        case .logBlock(let outcome): report("log", outcome)
        }
    }

    private func report(_ source: String, _ outcome: PrometheusImport.Outcome) {
        switch outcome {
        case .written(let footer):
            TSDBCommand.printBlock(
                footer.identifier.description, footer.range, series: footer.seriesCount, samples: footer.sampleCount)
        case .passedOver(let identifier): print("\(identifier) is there already")
        case .empty: print("\(source): no samples")
        case .failed(let error): printError("\(source): left out: \(error)")
        }
    }
}
