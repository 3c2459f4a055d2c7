import Blocks
import SeriesModel
import StorageAPI

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

    func read(_ series: UInt32, _ range: TimeRange, into buffer: inout SampleBuffer) throws {
        try reader.read(series: series, range: range, into: &buffer)
    }
}
