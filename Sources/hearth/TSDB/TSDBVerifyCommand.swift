import ArgumentParser
import FileIO
import TSDB

/// `hearth tsdb verify`: every checksum and cross-reference.
struct TSDBVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every checksum and cross-reference of blocks, log and catalog.",
        discussion: """
            One line for each damage, with the file and the byte. Exit status 1 where there is any. Reads only; a server \
            may be running there.
            """)

    @Argument(help: "The data directory.") var directory: String = "data/"

    func run() async throws {
        let verification: StoreVerification
        do {
            verification = try StoreVerification(fileSystem: PosixFileSystem(), directory: directory)
        } catch {
            throw failure("\(error)")
        }
        for damage in verification.damages { print(damage) }
        let found = verification.damages.count
        print(
            "\(verification.blockCount) blocks with \(verification.sampleCount) samples and "
                + "\(verification.recordCount) records of the log looked at: "
                + (found == 0 ? "no damage" : found == 1 ? "1 damage" : "\(found) damages"))
        if found > 0 { throw ExitCode(1) }
    }
}
