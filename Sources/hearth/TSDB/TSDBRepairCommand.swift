import ArgumentParser
import FileIO
import SeriesModel
import TSDB
import WAL

/// `hearth tsdb repair`: what a start does to a damaged log.
struct TSDBRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Cut torn ends off the log and set damaged files of it aside.",
        discussion: """
            What a start of the server does, without one: nothing is thrown away, what cannot be read is kept beside under \
            a name that ends in .torn. No server may be running there.
            """)

    @Argument(help: "The data directory.") var directory: String = "data/"

    func run() async throws {
        let report: ReplayReport
        do {
            report = try StoreRepair.run(fileSystem: PosixFileSystem(), directory: directory)
        } catch {
            throw failure("\(error)")
        }
        for damage in report.damages {
            print(damage)
            print("  " + (damage.isTail ? "the end of the log, as a crash leaves it; " : "") + thin(damage))
        }
        print(
            "\(report.records) records with \(report.samples) samples can be read, up to record \(report.lastLSN): "
                + (report.damages.isEmpty ? "nothing to repair" : "damages: \(report.damages.count)"))
        if report.damages.contains(where: { $0.repairFailure != nil }) { throw ExitCode(1) }
    }

    /// Between which times samples may be missing.
    private func thin(_ damage: LogDamage) -> String {
        let after = damage.after.map { CivilTime($0).rfc3339 } ?? "the beginning"
        let before = damage.before.map { CivilTime($0).rfc3339 } ?? "the end"
        return "samples between \(after) and \(before) may be missing"
    }
}
