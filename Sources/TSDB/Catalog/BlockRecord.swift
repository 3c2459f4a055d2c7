import Blocks
import SeriesModel

/// One block as the catalog knows it, and as its own footer describes it.
struct BlockRecord: Sendable, Hashable {
    var identifier: BlockIdentifier
    /// The covered span, both ends included. ms
    var range: TimeRange
    /// What the block takes on disk. Bytes.
    var bytes: Int
    /// 1 for a block cut from the head, more for merged ones.
    var level: Int
    /// The blocks that this one takes the place of.
    var parents: [BlockIdentifier]
    var seriesCount: Int
    var sampleCount: Int

    init(
        identifier: BlockIdentifier, range: TimeRange, bytes: Int, level: Int = 1, parents: [BlockIdentifier] = [],
        seriesCount: Int = 0, sampleCount: Int = 0
    ) {
        self.identifier = identifier
        self.range = range
        self.bytes = bytes
        self.level = level
        self.parents = parents
        self.seriesCount = seriesCount
        self.sampleCount = sampleCount
    }

    init(_ footer: BlockFooter) {
        self.init(
            identifier: footer.identifier,
            range: TimeRange(min: footer.range.min, max: footer.range.max.subtractingClamped(1)), bytes: footer.bytes,
            level: footer.level, parents: footer.parents, seriesCount: footer.seriesCount,
            sampleCount: footer.sampleCount)
    }
}
