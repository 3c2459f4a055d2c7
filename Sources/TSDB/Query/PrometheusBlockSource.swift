import Blocks
import FileIO
import PrometheusBlocks
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization

/// A block of Prometheus' as a source of samples. Its files are read and never changed.
final class PrometheusBlockSource: BlockSource {
    let block: PrometheusBlock
    let identifier: BlockIdentifier
    let seriesCount: Int
    /// Of its files, when they were opened.
    let roomAtOpening: Int
    /// By series number, filled as series are met; empty before the first.
    private let fingerprintTable = Mutex<[SeriesFingerprint]>([])

    /// - Parameter path: the block's directory.
    /// - Throws: `StorageError.corruption` where a file is not what Prometheus writes.
    init(fileSystem: any FileSystem, path: String) throws(StorageError) {
        roomAtOpening = PrometheusBlockSource.room(fileSystem, path)
        block = try PrometheusBlock(fileSystem: fileSystem, path: path)
        guard let identifier = BlockIdentifier(block.meta.ulid),
            identifier.description.hasSameBytes(as: FilePath.name(of: path))
        else {
            throw .corruption(file: path, offset: 0, reason: "it calls itself \(block.meta.ulid)")
        }
        self.identifier = identifier
        seriesCount = try block.seriesCount()
    }

    /// What tells a block that is still being copied from the whole one: bytes and number of its files.
    static func room(_ fileSystem: any FileSystem, _ path: String) -> Int {
        var room = 0
        for directory in [path, FilePath.join(path, "chunks")] {
            for name in (try? fileSystem.list(directory)) ?? [] {
                room += 1 + ((try? fileSystem.size(FilePath.join(directory, name))) ?? 0)
            }
        }
        return room
    }

    var path: String { block.path }
    var range: TimeRange { TimeRange(min: block.meta.minTime, max: block.meta.maxTime) }
    var level: Int { max(1, block.meta.compaction?.level ?? 1) }
    /// What comes from elsewhere is in no record of our log.
    var lsn: LSN { 0 }
    var chunkCount: Int { Int(clamping: block.meta.stats?.numChunks ?? 0) }
    var sampleCount: Int { Int(clamping: block.meta.stats?.numSamples ?? 0) }

    func labelNames() throws(StorageError) -> [String] { try block.labelNames() }

    func labelValues(of name: String) throws(StorageError) -> [String] { try block.labelValues(of: name) }

    func postings(name: String, value: String) throws(StorageError) -> [UInt32] {
        try block.postings(name: name, value: value)
    }

    func allPostings() throws(StorageError) -> [UInt32] { try block.allPostings() }

    func labels(of series: UInt32) throws(StorageError) -> LabelSet { try block.labels(of: series) }

    func fingerprints(of series: [UInt32]) throws(StorageError) -> [SeriesFingerprint] {
        var known = fingerprintTable.withLock { table -> [SeriesFingerprint] in
            if table.isEmpty { table = [SeriesFingerprint](repeating: .unknown, count: seriesCount) }
            return series.map { Int($0) < table.count ? table[Int($0)] : .unknown }
        }
        for (position, number) in series.enumerated() where known[position] == .unknown {
            known[position] = SeriesFingerprint(try block.labels(of: number))
        }
        fingerprintTable.withLock { table in
            for (number, fingerprint) in zip(series, known) where Int(number) < table.count {
                table[Int(number)] = fingerprint
            }
        }
        return known
    }

    func read(series: UInt32, range: TimeRange, into buffer: inout SampleBuffer) throws(StorageError) {
        // What reaches beyond the block's own range does not count, as in an import.
        let wanted = TimeRange(min: max(range.min, block.range.min), max: min(range.max, block.range.max))
        guard wanted.min <= wanted.max else { return }
        let before = BufferMark(buffer)
        do throws(StorageError) {
            try block.read(series: series, range: wanted, into: &buffer)
        } catch {
            buffer.removeAll(since: before)
            throw error
        }
    }
}
