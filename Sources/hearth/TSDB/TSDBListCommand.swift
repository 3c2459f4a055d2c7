import ArgumentParser
import Blocks
import FileIO
import SeriesModel
import TSDB

/// `hearth tsdb list`: the blocks, in promtool's columns.
struct TSDBListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the blocks of a data directory.",
        discussion:
            "Reads only; a server may be running there. Blocks that cannot be opened are named on standard error.")

    @Flag(name: [.customShort("r"), .customLong("human-readable")], help: "Times and sizes for people.")
    var isReadable = false
    @Argument(help: "The data directory.") var directory: String = "data/"

    func run() async throws {
        let found: BlockInspection
        do {
            found = try BlockInspection(fileSystem: PosixFileSystem(), directory: directory)
        } catch {
            throw failure("\(error)")
        }
        var rows = [
            ["BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE"]
        ]
        for row in found.rows {
            rows.append([
                row.identifier.description, time(row.range.min), time(row.range.max),
                GoText.duration(milliseconds: row.range.max.subtractingClamped(row.range.min)),
                String(row.sampleCount), String(row.chunkCount), String(row.seriesCount),
                isReadable ? GoText.bytes(row.bytes) : String(row.bytes),
            ])
        }
        print(TextTable.text(rows, minimumWidth: 13, padding: 2), terminator: "")
        let damages = found.damages + found.prometheusDamages
        for damage in damages { printError(damage.description) }
        if !damages.isEmpty { throw ExitCode(1) }
    }

    private func time(_ timestamp: Timestamp) -> String {
        isReadable ? CivilTime(timestamp).spelled : String(timestamp)
    }
}
