import Blocks
import ChunkEncoding
import PrometheusBlocks
import SeriesModel
import StorageAPI
import StorageFiles

/// The log of a Prometheus that was stopped, as a source of samples: read once, and held in memory, compressed, until it
/// is imported. Its files are not changed.
final class PrometheusLogSource: BlockSource {
    /// Of the log as it is; an import notes it in the list of what was imported.
    let identifier: BlockIdentifier
    let range: TimeRange
    let sampleCount: Int
    private let path: String
    /// In label order.
    private let series: [LogSeries]
    /// Name, value, numbers of the series.
    private let index: [LabelText: [LabelText: [UInt32]]]

    /// - Parameters:
    ///   - range: closed, of all its samples. ms
    ///   - path: of the log's directory, for errors.
    init(_ log: PrometheusLog, _ range: TimeRange, identifier: BlockIdentifier, path: String) {
        self.identifier = identifier
        self.range = TimeRange(min: range.min, max: range.max.addingClamped(1))
        self.path = path
        series = log.series
        sampleCount = log.report.sampleCount
        var index: [LabelText: [LabelText: [UInt32]]] = [:]
        for (number, one) in log.series.enumerated() {
            for label in one.labels {
                index[LabelText(label.name), default: [:]][LabelText(label.value), default: []]
                    .append(UInt32(clamping: number))
            }
        }
        self.index = index
    }

    var level: Int { 1 }
    /// What comes from elsewhere is in no record of our log.
    var lsn: LSN { 0 }
    var seriesCount: Int { series.count }
    /// A log has none.
    var chunkCount: Int { 0 }

    func labelNames() throws(StorageError) -> [String] {
        index.keys.map(\.text).sorted { $0.precedesByBytes($1) }
    }

    func labelValues(of name: String) throws(StorageError) -> [String] {
        (index[LabelText(name)] ?? [:]).keys.map(\.text).sorted { $0.precedesByBytes($1) }
    }

    func postings(name: String, value: String) throws(StorageError) -> [UInt32] {
        index[LabelText(name)]?[LabelText(value)] ?? []
    }

    func allPostings() throws(StorageError) -> [UInt32] { Array(0..<UInt32(clamping: series.count)) }

    func labels(of series: UInt32) throws(StorageError) -> LabelSet { try one(series).labels }

    func fingerprints(of series: [UInt32]) throws(StorageError) -> [SeriesFingerprint] {
        var found: [SeriesFingerprint] = []
        found.reserveCapacity(series.count)
        for number in series { found.append(SeriesFingerprint(try one(number).labels)) }
        return found
    }

    func read(series: UInt32, range: TimeRange, into buffer: inout SampleBuffer) throws(StorageError) {
        let one = try one(series)
        let before = BufferMark(buffer)
        do throws(ChunkError) {
            try one.read(range: range, into: &buffer)
        } catch {
            buffer.removeAll(since: before)
            throw .corruption(file: path, offset: 0, reason: "\(one.labels): \(error.description)")
        }
    }

    private func one(_ number: UInt32) throws(StorageError) -> LogSeries {
        guard Int(number) < series.count else { throw .invalid(reason: "\(path): no series \(number)") }
        return series[Int(number)]
    }

    /// Where the aligned ranges of one width begin that have samples, oldest first. ms
    func windowStarts(width: Int64) throws(StorageError) -> [Timestamp] {
        var starts: Set<Timestamp> = []
        var samples = SampleBuffer()
        for number in try allPostings() {
            samples.removeAll()
            try read(series: number, range: .all, into: &samples)
            for time in samples.timestamps + samples.histogramTimestamps {
                let rest = time % width
                starts.insert(time.subtractingClamped(rest < 0 ? rest + width : rest))
            }
        }
        return starts.sorted()
    }

    // MARK: - Deletions

    /// Whether one of the series has something in a range.
    func hasSamples(_ series: [UInt32], in range: TimeRange) throws(StorageError) -> Bool {
        var samples = SampleBuffer()
        for number in series where try one(number).range.overlaps(range) {
            try read(series: number, range: range, into: &samples)
            if !samples.isEmpty { return true }
        }
        return false
    }

    /// As that of blocks.
    func withoutDeleted(_ series: [UInt32], in range: TimeRange) throws(StorageError) -> [UInt32] {
        var left: [UInt32] = []
        for number in series {
            let one = try one(number)
            guard one.range.overlaps(range) else { continue }
            if one.hasDeletions, try !hasSamples([number], in: range) { continue }
            left.append(number)
        }
        return left
    }
}
