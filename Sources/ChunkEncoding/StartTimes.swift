import ByteCoding
import SeriesModel

/// The start timestamps of a chunk's samples (`prometheus/tsdb/chunkenc/st.go`): each may stand behind its sample.
///
/// A byte of the chunk's header says whether the first sample has one, and from which sample on all have. Between the
/// two the first one's is that of all. They are written as differences to the timestamp of the sample before, the
/// differences as changes.
struct StartTimes: Sendable {
    /// No sample has one.
    static let none = StartTimes(header: 0)

    private let isFirstKnown: Bool
    /// 0 for no sample.
    private let changesFrom: Int
    private var difference: Int64 = 0
    /// Of the sample read last, 0 for unknown. ms
    private(set) var value: Timestamp = 0

    init(header: UInt8) {
        isFirstKnown = header & 0x80 != 0
        changesFrom = Int(header & 0x7F)
    }

    /// - Parameters:
    ///   - sample: its number in the chunk.
    ///   - timestamp: the sample's.
    ///   - previous: that of the sample before.
    @inline(__always)
    mutating func read(
        _ reader: inout FieldReader, sample: Int, at timestamp: Timestamp, behind previous: Timestamp
    ) throws(ChunkError) {
        if sample == 0 {
            if isFirstKnown { value = timestamp &- (try reader.varint()) }
        } else if changesFrom > 0, sample >= changesFrom {
            let change = try reader.varbit()
            difference = sample == changesFrom ? change : difference &+ change
            value = previous &- difference
        }
    }
}
