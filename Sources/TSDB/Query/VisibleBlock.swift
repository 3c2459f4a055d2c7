import Blocks
import PrometheusBlocks
import SeriesModel
import StorageAPI

/// What queries see of a block, ours or Prometheus', or of its log. Series numbers are the references of its index.
struct VisibleBlock: Sendable {
    let source: any BlockSource
    /// Closed: the last ms that may be in the block is `max`.
    let range: TimeRange
    private let remaining: @Sendable ([UInt32], TimeRange) throws(StorageError) -> [UInt32]

    init(_ block: Block) {
        source = block.reader
        range = block.range
        remaining = block.withoutDeleted
    }

    init(_ source: PrometheusBlockSource) {
        self.source = source
        range = source.block.range
        remaining = source.withoutDeleted
    }

    init(_ log: PrometheusLogSource) {
        source = log
        range = TimeRange(min: log.range.min, max: log.range.max.subtractingClamped(1))
        remaining = log.withoutDeleted
    }

    /// Of the series those that have something left in a range, as far as the index tells.
    func withoutDeleted(_ series: [UInt32], in range: TimeRange) throws(StorageError) -> [UInt32] {
        try remaining(series, range)
    }

    func read(_ series: UInt32, _ range: TimeRange, into buffer: inout SampleBuffer) throws {
        try source.read(series: series, range: range, into: &buffer)
    }
}

extension VisibleBlock: LabelIndex {
    func labelNames() throws -> [String] { try source.labelNames() }
    func labelValues(of name: String) throws -> [String] { try source.labelValues(of: name) }
    func postings(name: String, value: String) throws -> [UInt32] { try source.postings(name: name, value: value) }
    func allPostings() throws -> [UInt32] { try source.allPostings() }
}

extension [VisibleBlock] {
    /// Oldest first: of equal timestamps the first source wins.
    mutating func sortByAge() {
        sort { ($0.range.min, $0.source.identifier) < ($1.range.min, $1.source.identifier) }
    }
}

extension PrometheusBlockSource {
    /// Whether one of the series has something in a range that was not deleted, as far as the index tells.
    func hasSamples(_ series: [UInt32], in range: TimeRange) throws(StorageError) -> Bool {
        for number in series {
            let held = try block.chunks(of: number).map(\.range).filter { $0.overlaps(range) }
            if held.isEmpty { continue }
            let deleted = TimeRangeSet(try block.tombstones(of: number))
            for chunk in held {
                let wanted = TimeRange(min: max(chunk.min, range.min), max: min(chunk.max, range.max))
                if !deleted.covers(wanted) { return true }
            }
        }
        return false
    }

    /// As that of our own blocks.
    func withoutDeleted(_ series: [UInt32], in range: TimeRange) throws(StorageError) -> [UInt32] {
        guard block.hasTombstones else { return series }
        var left: [UInt32] = []
        left.reserveCapacity(series.count)
        for number in series {
            let deleted = TimeRangeSet(try block.tombstones(of: number))
            let chunks = try block.chunks(of: number)
            if let first = chunks.first, let last = chunks.last {
                let wanted = TimeRange(min: max(first.range.min, range.min), max: min(last.range.max, range.max))
                if wanted.min <= wanted.max, deleted.covers(wanted) { continue }
            }
            left.append(number)
        }
        return left
    }
}
