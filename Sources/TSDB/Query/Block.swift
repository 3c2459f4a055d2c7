import Blocks
import SeriesModel
import StorageAPI
import StorageFiles

/// A block that queries see. The reader keeps the files mapped as long as somebody holds the block, also after it was
/// deleted.
struct Block: Sendable {
    let reader: BlockReader
    let record: BlockRecord

    init(_ reader: BlockReader) {
        self.reader = reader
        record = BlockRecord(reader.footer)
    }

    var identifier: BlockIdentifier { record.identifier }

    /// Closed: the last ms that may be in the block is `max`.
    var range: TimeRange { record.range }

    /// Whether a sample out of order of that time, which the log has under that number, was in the head when the block
    /// was written.
    func holdsOutOfOrder(_ time: Timestamp, _ lsn: LSN) -> Bool {
        lsn <= reader.footer.lsn && range.contains(time)
    }

    func read(_ series: UInt32, _ range: TimeRange, into buffer: inout SampleBuffer) throws {
        try reader.read(series: series, range: range, into: &buffer)
    }
}
