import FileIO
import GRDB
import StorageAPI

/// Looks into the `state.sqlite` of a data directory that somebody else may have open.
enum StateInspection {
    /// What is wrong with the file; nil where nothing is, or it is not there. Nothing is written.
    static func damage(_ directory: String) -> StorageError? {
        let path = FilePath.join(directory, StateStore.fileName)
        // SQLite knows the machine's disk only.
        guard PosixFileSystem().exists(path) else { return nil }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do throws(StorageError) {
            try SQLiteFile.wrapping("read", path) {
                let queue = try DatabaseQueue(path: address(of: path), configuration: configuration)
                defer { try? queue.close() }
                let verdict = try queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
                guard verdict == "ok" else {
                    throw StorageError.corruption(
                        file: path, offset: 0, reason: verdict ?? "no answer to integrity_check")
                }
            }
            return nil
        } catch {
            return error
        }
    }

    /// A file that nobody has open has no journal beside it, and SQLite would leave one there, also where it only reads:
    /// it is told that nobody writes, where it takes addresses.
    private static func address(of path: String) throws -> String {
        if PosixFileSystem().exists(path + "-wal") { return path }
        let takesAddresses = try DatabaseQueue().read {
            try Bool.fetchOne($0, sql: "SELECT sqlite_compileoption_used('USE_URI')")
        }
        guard takesAddresses ?? false else { return path }
        let digits = Array("0123456789ABCDEF".utf8)
        var address = Array("file:".utf8)
        for byte in path.utf8 {
            if "%?#".utf8.contains(byte) {
                address += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                address.append(byte)
            }
        }
        return String(decoding: address, as: UTF8.self) + "?immutable=1"
    }
}
