import ArgumentParser
import FileIO
import TSDB

/// `hearth tsdb rebuild-catalog`: what the blocks say of themselves becomes what the catalog says.
struct TSDBRebuildCatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild-catalog", abstract: "Make the catalog say what the blocks say of themselves.",
        discussion: "No server may be running there.")

    @Argument(help: "The data directory.") var directory: String = "data/"

    func run() async throws {
        do {
            let lock = try DirectoryLock(directory)
            let count = try Catalog.rebuild(fileSystem: PosixFileSystem(), directory: directory)
            _ = consume lock
            print(count == 1 ? "1 block in the catalog" : "\(count) blocks in the catalog")
        } catch {
            throw failure("\(error)")
        }
    }
}
