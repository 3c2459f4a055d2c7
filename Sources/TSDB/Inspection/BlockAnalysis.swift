package import Blocks
package import SeriesModel

/// What a block's series are made of: the figures of `promtool tsdb analyze`.
package struct BlockAnalysis: Sendable {
    package struct Row: Sendable, Hashable {
        package var name: String
        package var value: Int64
    }

    /// All series of the block.
    package private(set) var seriesCount = 0
    /// Those that were asked for; the rest of the figures is of these.
    package private(set) var matchedSeriesCount = 0
    package private(set) var labelNameCount = 0
    /// Different pairs of name and value.
    package private(set) var labelPairCount = 0
    /// Pairs of all series together.
    package private(set) var entryCount = 0
    /// How much of the block's time the series with a pair do not fill, in whole blocks.
    package private(set) var churningPairs: [Row] = []
    package private(set) var churningNames: [Row] = []
    /// By the number of their series.
    package private(set) var commonPairs: [Row] = []
    /// Bytes of the values of a label, each value counted once.
    package private(set) var longestNames: [Row] = []
    /// By the number of their values.
    package private(set) var widestNames: [Row] = []
    /// By the number of their series.
    package private(set) var largestMetrics: [Row] = []
    /// The pages and chunks by the tenth of `fullChunk` that their number of samples reaches; the last of the ten are full ones.
    package private(set) var fullness = [Int](repeating: 0, count: 10)
    package let fullChunk: Int

    /// - Parameters:
    ///   - matchers: of the series to look at.
    ///   - limit: the length of each list.
    package init(_ block: BlockReader, matchers: [LabelMatcher] = [], limit: Int) throws {
        try self.init(of: block, matchers: matchers, limit: limit)
    }

    /// As above, for a block of either kind.
    init<Source: AnalyzedBlock>(of block: Source, matchers: [LabelMatcher], limit: Int) throws {
        fullChunk = Source.fullChunk
        var resolution = MatcherResolution()
        let found = try resolution.resolve(matchers, in: block)
        seriesCount = block.seriesCount
        matchedSeriesCount = found.count
        var counts = Counts()
        for series in found { try count(series, of: block, into: &counts) }
        labelNameCount = counts.names.count
        labelPairCount = counts.pairs.count
        let width = Double(block.range.max.subtractingClamped(block.range.min))
        func inBlocks(_ uncovered: Double) -> Int64 { Int64(clamping: uncovered / width) ?? 0 }
        let limit = max(0, limit)
        churningPairs = BlockAnalysis.largest(counts.pairs, limit, by: \.uncovered, inBlocks)
        churningNames = BlockAnalysis.largest(counts.names, limit, by: \.uncovered, inBlocks)
        commonPairs = BlockAnalysis.largest(counts.pairs, limit, by: \.seriesCount) { Int64($0) }
        longestNames = BlockAnalysis.largest(counts.names, limit, by: \.valueBytes) { Int64($0) }
        widestNames = BlockAnalysis.largest(counts.names, limit, by: \.valueCount) { Int64($0) }
        largestMetrics = BlockAnalysis.largest(counts.metrics, limit, by: \.self) { Int64($0) }
    }

    private struct Counts {
        struct Pair {
            var seriesCount = 0
            /// ms
            var uncovered = 0.0
        }

        struct Name {
            var valueCount = 0
            var valueBytes = 0
            /// ms
            var uncovered = 0.0
        }

        var pairs: [LabelText: Pair] = [:]
        var names: [LabelText: Name] = [:]
        var metrics: [LabelText: Int] = [:]
    }

    private mutating func count(
        _ series: UInt32, of block: some AnalyzedBlock, into counts: inout Counts
    ) throws {
        let held = try block.timeRange(of: series)
        guard held.min <= held.max else { return }
        let range = block.range
        // As doubles: a block of damaged bounds must not overflow.
        let uncovered =
            Double(range.max.subtractingClamped(range.min)) - Double(held.max.subtractingClamped(held.min))
        for count in try block.chunkSampleCounts(of: series) {
            fullness[min(9, max(0, count - 1) * 10 / fullChunk)] += 1
        }
        for label in try block.labels(of: series) {
            entryCount += 1
            let pair = LabelText(label.name + "=" + label.value)
            if counts.pairs[pair, default: .init()].seriesCount == 0 {
                counts.names[LabelText(label.name), default: .init()].valueCount += 1
                counts.names[LabelText(label.name), default: .init()].valueBytes += label.value.utf8.count
            }
            counts.pairs[pair, default: .init()].seriesCount += 1
            counts.pairs[pair, default: .init()].uncovered += uncovered
            counts.names[LabelText(label.name), default: .init()].uncovered += uncovered
            if label.name == Label.metricName { counts.metrics[LabelText(label.value), default: 0] += 1 }
        }
    }

    /// The largest first; of equal ones the first by bytes.
    private static func largest<Entry, Figure: Comparable>(
        _ entries: [LabelText: Entry], _ limit: Int, by figure: (Entry) -> Figure, _ value: (Figure) -> Int64
    ) -> [Row] {
        entries.map { (name: $0.key.text, figure: figure($0.value)) }
            .sorted { $0.figure != $1.figure ? $0.figure > $1.figure : $0.name.precedesByBytes($1.name) }
            .prefix(limit).map { Row(name: $0.name, value: value($0.figure)) }
    }
}
