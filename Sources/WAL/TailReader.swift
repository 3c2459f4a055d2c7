import ByteCoding
import FileIO
import StorageAPI
import StorageFiles
import Synchronization

/// Reads the records of a log one after the other, over its segments, while they are written and removed.
struct TailReader {
    private let log: LogWriter
    /// The newest record that was read, or is lost.
    private(set) var last: LSN
    /// Records that were gone or damaged.
    private(set) var lostCount: UInt64 = 0
    private var reader: SegmentReader?
    private var decoder = BatchDecoder()
    /// Nothing more of it can be decoded.
    private var damagedSegment: UInt64?

    /// Begins behind a record that the first one of a segment follows.
    init(_ log: LogWriter, behind last: LSN) {
        self.log = log
        self.last = last
    }

    /// Of the file that is being read.
    var segment: UInt64? { reader?.number }

    /// Whether nothing more can be read until the next segment is begun.
    var isInDamage: Bool {
        guard let damagedSegment else { return false }
        return log.inventory.withLock { $0.place(of: last + 1)?.segment.number == damagedSegment }
    }

    /// So many were lost before.
    mutating func add(lost count: UInt64) { lostCount += count }

    /// What is gone of the records up to that one is nothing that was wanted.
    mutating func forgetLost(upTo position: LSN) { lostCount = last > position ? last - position : 0 }

    /// Reads the next record.
    /// - Parameter newest: the newest that was acknowledged.
    /// - Returns: false where it is lost: `last` is the newest of those that are lost with it.
    /// - Precondition: there is one.
    mutating func read(into batch: inout LogBatch, newest: LSN) throws(StorageError) -> Bool {
        let place = log.inventory.withLock { inventory in
            inventory.place(of: last + 1) ?? inventory.segments.first.map { ($0, nil) }
        }
        guard let (segment, end) = place else { throw .unavailable(reason: "the log has no segment") }
        guard segment.origin <= last + 1 else {
            skip(through: min(segment.origin - 1, newest))
            return false
        }
        let lastHere = end.map { min($0 - 1, newest) } ?? newest
        if damagedSegment == segment.number {
            skip(through: lastHere)
            return false
        }
        do throws(SegmentReader.Failure) {
            try read(segment.number, into: &batch, newest)
            last += 1
            return true
        } catch {
            switch error {
            case .damaged:
                damagedSegment = segment.number
            case .file(let failure):
                // It may have been removed, by right; the place that it had is another one's then. Where it was not it does
                // not come back.
                let isThere = log.inventory.withLock { $0.segments.contains { $0.number == segment.number } }
                let isForGood = failure.isMediaFailure || failure.isNotFound
                if isThere, !isForGood { throw StorageError(failure) }
                if isThere { damagedSegment = segment.number }
            }
            reader = nil
            skip(through: lastHere)
            return false
        }
    }

    /// Values are told by those before them in the file, so it is read from its start.
    private mutating func read(
        _ segment: UInt64, into batch: inout LogBatch, _ newest: LSN
    ) throws(SegmentReader.Failure) {
        if reader?.number != segment {
            var new = try SegmentReader(fileSystem: log.fileSystem, directory: log.directory, number: segment)
            var decoder = BatchDecoder()
            var lsn = new.origin
            while lsn <= last {
                try TailReader.decode(&new, &decoder, lsn, into: &batch, newest)
                lsn += 1
            }
            guard lsn == last + 1 else { throw .damaged("begins behind record \(last + 1)") }
            (reader, self.decoder) = (new, decoder)
        }
        guard var current = reader.take() else { throw .damaged("no segment") }
        defer { reader = current }
        try TailReader.decode(&current, &decoder, last + 1, into: &batch, newest)
    }

    private static func decode(
        _ reader: inout SegmentReader, _ decoder: inout BatchDecoder, _ lsn: LSN, into batch: inout LogBatch,
        _ newest: LSN
    ) throws(SegmentReader.Failure) {
        let frame = try reader.next(lsn, acknowledged: newest)
        do throws(ByteError) {
            try decoder.decode(frame.payload, frame.type, into: &batch)
        } catch {
            throw .damaged("payload: \(error)")
        }
    }

    private mutating func skip(through lsn: LSN) {
        lostCount += lsn - min(last, lsn)
        last = max(last, lsn)
    }
}
