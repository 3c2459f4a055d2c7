import ArgumentParser
import FileIO
import SeriesModel
import Server
import TSDB

/// `hearth tsdb retention --dry-run`: what the retention would delete.
struct TSDBRetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "List what the retention would delete.",
        discussion: """
            Takes the limits from the configuration file and from the flags, as the server does. Nothing is deleted: a \
            server does that by itself. One may be running there.
            """)

    @Flag(name: .customLong("dry-run"), help: "Only list. There is no other way yet to call this.") var isDryRun = false

    @Option(name: .customLong("config.file"), help: "Configuration file.") var configFile: String?

    @Option(name: .customLong("storage.tsdb.retention.time"), help: "As the server's flag.") var time: String?

    @Option(name: .customLong("storage.tsdb.retention.size"), help: "As the server's flag.") var size: String?

    @Option(name: .customLong("storage.tsdb.retention.percentage"), help: "As the server's flag.")
    var percentage: String?

    @Argument(help: "The data directory.") var directory: String = "data/"

    func run() async throws {
        guard isDryRun else { throw failure("--dry-run is needed: deleting is the server's business") }
        let report: TSDB.RetentionReport
        do {
            var arguments: [String] = []
            if let time { arguments.append("--storage.tsdb.retention.time=" + time) }
            if let size { arguments.append("--storage.tsdb.retention.size=" + size) }
            if let percentage { arguments.append("--storage.tsdb.retention.percentage=" + percentage) }
            let settings = try StorageSection.settings(arguments, configFile: configFile)
            report = try RetentionInspection.report(
                fileSystem: PosixFileSystem(), directory: directory, settings: settings)
        } catch {
            throw failure("\(error)")
        }
        for row in report.rows {
            let bytes = row.bytes.map { " bytes=\($0)" } ?? ""
            print(
                "\(row.block) mint=\(row.range.min) maxt=\(row.range.max) reason=\"\(row.reason)\" "
                    + "series=\(row.seriesCount) samples=\(row.sampleCount)\(bytes)")
        }
        print(report.rows.isEmpty ? "nothing would be deleted" : "\(report.rows.count) rows")
    }
}
