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
        for reader in found.readers {
            let footer = reader.footer
            rows.append([
                footer.identifier.description, time(footer.range.min), time(footer.range.max),
                GoText.duration(milliseconds: footer.range.max.subtractingClamped(footer.range.min)),
                String(footer.sampleCount), String(footer.chunkCount), String(footer.seriesCount),
                isReadable ? GoText.bytes(footer.bytes) : String(footer.bytes),
            ])
        }
        print(TextTable.text(rows, minimumWidth: 13, padding: 2), terminator: "")
        for damage in found.damages { printError(damage.description) }
        if !found.damages.isEmpty { throw ExitCode(1) }
    }

    private func time(_ timestamp: Timestamp) -> String {
        isReadable ? CivilTime(timestamp).spelled : String(timestamp)
    }
}
