import Blocks
import PrometheusBlocks
import SeriesModel
import StorageAPI

/// What an analysis asks of a block, ours or Prometheus'.
protocol AnalyzedBlock: BlockSource, LabelIndex {
    /// Samples of a chunk, or a page, that has all it can have.
    static var fullChunk: Int { get }
    /// From the first to the last sample of a series; empty where it has none. ms
    func timeRange(of series: UInt32) throws -> TimeRange
    /// Of each chunk, or page, of a series.
    func chunkSampleCounts(of series: UInt32) throws -> [Int]
}

extension BlockReader: AnalyzedBlock {
    static var fullChunk: Int { pageSamplesMax }

    func chunkSampleCounts(of series: UInt32) throws -> [Int] { try pageSampleCounts(of: series) }
}

extension PrometheusBlockSource: LabelIndex {}

extension PrometheusBlockSource: AnalyzedBlock {
    static var fullChunk: Int { SampleChunks.samplesMax }

    func timeRange(of series: UInt32) throws -> TimeRange {
        let chunks = try block.chunks(of: series)
        guard let first = chunks.first, let last = chunks.last else { return TimeRange(min: .max, max: .min) }
        return TimeRange(min: first.range.min, max: last.range.max)
    }

    func chunkSampleCounts(of series: UInt32) throws -> [Int] {
        try block.chunks(of: series).map { try block.chunk($0).sampleCount }
    }
}
