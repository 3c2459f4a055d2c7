import ByteCoding
package import FileIO
package import StorageAPI
package import StorageFiles

/// The files of a log that a replay does not read: those that are kept for consumers.
package enum HeldLog {
    /// Reads them all; a file that goes meanwhile is none of our business. Nothing on disk is changed.
    /// - Parameters:
    ///   - directory: of the log; need not exist.
    ///   - checkpoint: the one that the replay began with; 0 for none.
    /// - Returns: what is damaged, at most one place in a file.
    package static func damages(
        fileSystem: any FileSystem, directory: String, before checkpoint: LSN
    ) throws(StorageError) -> [LogDamage] {
        guard checkpoint > 0 else { return [] }
        let newest = FilePath.join(directory, LogFormat.checkpointName(checkpoint))
        guard let origin = try? LogReader(fileSystem: fileSystem, path: newest, kind: .checkpoint).header.origin else {
            return []
        }
        let names = try StorageError.wrapping { () throws(FileError) in try fileSystem.list(directory) }
        var damages: [LogDamage] = []
        for name in names {
            let path = FilePath.join(directory, name)
            do throws(StorageError) {
                if let lsn = LogFormat.checkpointLSN(name), lsn < checkpoint {
                    try Checkpoint.verify(fileSystem: fileSystem, path: path, lsn: lsn)
                } else if let number = LogFormat.segmentNumber(name), number < origin {
                    try verifySegment(fileSystem, path, number)
                }
            } catch {
                guard fileSystem.exists(path) else { continue }
                guard case .corruption(_, let offset, let reason) = error else { throw error }
                damages.append(
                    LogDamage(
                        file: path, offset: offset, reason: reason + " (kept for remote write only)", bytesSetAside: 0,
                        isTail: false))
            }
        }
        return damages
    }

    /// What they take. Bytes.
    /// - Parameters: as those of `damages`.
    package static func bytes(fileSystem: any FileSystem, directory: String, before checkpoint: LSN) -> Int {
        let newest = FilePath.join(directory, LogFormat.checkpointName(checkpoint))
        guard checkpoint > 0,
            let origin = try? LogReader(fileSystem: fileSystem, path: newest, kind: .checkpoint).header.origin
        else { return 0 }
        var bytes = 0
        for name in (try? fileSystem.list(directory)) ?? [] {
            let isHeld =
                LogFormat.checkpointLSN(name).map { $0 < checkpoint }
                ?? LogFormat.segmentNumber(name).map { $0 < origin } ?? false
            if isHeld { bytes += (try? fileSystem.size(FilePath.join(directory, name))) ?? 0 }
        }
        return bytes
    }

    private static func verifySegment(
        _ fileSystem: any FileSystem, _ path: String, _ number: UInt64
    ) throws(StorageError) {
        var reader = try LogReader(fileSystem: fileSystem, path: path, kind: .segment)
        guard reader.header.number == number else { throw reader.damaged("header of segment \(reader.header.number)") }
        var decoder = BatchDecoder()
        var batch = LogBatch()
        var lsn = reader.header.origin
        while let frame = try reader.next() {
            guard frame.type.isBatch, frame.lsn == lsn else {
                throw reader.damaged("record \(frame.lsn) in place of \(lsn)")
            }
            do throws(ByteError) {
                try decoder.decode(frame.payload, frame.type, into: &batch)
            } catch {
                throw .corruption(error, file: path, base: frame.offset)
            }
            lsn += 1
        }
    }
}
