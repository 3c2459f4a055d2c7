import ConfigTree
import SeriesModel

/// How long samples are kept, and in how much space. Whole blocks go, the oldest first; where both limits are set, the
/// one that is met first decides. Nil is no limit.
struct RetentionPolicy: Sendable, Hashable {
    enum Reason: Sendable, Hashable {
        case time, size
    }

    /// ms
    var time: Int64?
    /// Of blocks, log and head together. Bytes.
    var size: Int64?

    init(time: Int64?, size: Int64?) {
        self.time = time
        self.size = size
    }

    /// The blocks that have to go, the oldest first.
    ///
    /// A block is out of time when all of it is older than the newest sample by the retention: not when it is older
    /// than the clock says, so that a store that was off for a year does not begin by deleting everything.
    /// - Parameters:
    ///   - newest: the newest timestamp of head and blocks. ms
    ///   - otherBytes: what counts against the size and is not a block: log and head.
    func expired(
        _ blocks: [BlockRecord], newest: Timestamp, otherBytes: Int
    ) -> [(block: BlockRecord, reason: Reason)] {
        var expired: [(block: BlockRecord, reason: Reason)] = []
        var kept: [BlockRecord] = []
        let oldestKept = time.map { newest.subtractingClamped($0) }
        for block in blocks.sorted(by: { ($0.range.max, $0.range.min) < ($1.range.max, $1.range.min) }) {
            if let oldestKept, block.range.max < oldestKept {
                expired.append((block, .time))
            } else {
                kept.append(block)
            }
        }
        guard let size else { return expired }
        var total = kept.reduce(Int64(otherBytes)) { $0.addingClamped(Int64($1.bytes)) }
        for block in kept where total > size {
            expired.append((block, .size))
            total = total.subtractingClamped(Int64(block.bytes))
        }
        return expired
    }
}

extension RetentionPolicy: CustomStringConvertible {
    /// As upstream's `runtimeinfo` shows it: "30d or 10GiB"; empty where nothing limits.
    var description: String {
        [time.map(DurationText.format), size.map(ByteSize.format)].compactMap { $0 }.joined(separator: " or ")
    }
}
