package import SeriesModel
package import StorageAPI
package import StorageFiles

/// What a replay found.
package struct ReplayReport: Sendable, Equatable {
    /// The newest record applied, or that of the checkpoint; 0 for an empty log. The next one is `lastLSN + 1`.
    package var lastLSN: LSN = 0
    /// 0 where there was no checkpoint.
    package var checkpointLSN: LSN = 0
    package var segments = 0
    /// Applied, those of the checkpoint included.
    package var records = 0
    package var samples = 0
    /// Introduced; one whose slot was given away counts as two, and so does one that a later segment says again.
    package var series = 0
    /// Who got a slot in a segment, in that order: the checkpoint does not have them.
    package var introduced: [SeriesRef] = []
    package var damages: [LogDamage] = []
    /// No checkpoint was whole, and the newest one was read as far as it was good: a new one has to be made at once.
    package var isCheckpointDamaged = false

    package init() {}
}

/// A place of the log that could not be read.
package struct LogDamage: Sendable, Equatable, CustomStringConvertible {
    /// Path of the file.
    package var file: String
    /// Where in it the good part ends. Bytes.
    package var offset: Int
    package var reason: String
    /// What was cut off and kept beside the file. Bytes.
    package var bytesSetAside: Int
    /// Why the file was left as it is, where it should have been repaired: it will be met again at the next start.
    package var repairFailure: String?
    /// At the end of the newest segment: what a crash leaves behind. Elsewhere the disk has lost something.
    package var isTail: Bool
    /// The span of time in which samples may be missing, as far as known: from the newest sample before the damage to the
    /// oldest in the first record after it.
    package var after: Timestamp?
    package var before: Timestamp?

    package var description: String {
        let repair = repairFailure.map { "not repaired: \($0)" } ?? "\(bytesSetAside) bytes set aside"
        return "\(file): \(reason) at byte \(offset), \(repair)"
    }
}
