import ChunkEncoding
package import SeriesModel

/// All that the head knows of one series, by slot: 120 bytes, without an object or a reference count. Changed by the
/// committer under the gate held exclusively, read under the gate; a copy of it is the snapshot of a series.
///
/// Floats and histograms go into chunks of their own; of the two kinds one chunk at most is open, so that chunks follow
/// each other in time. A stale marker goes into whichever is open.
struct SeriesRecord {
    /// The stable hash of the labels.
    var hash: UInt64 = 0
    /// Numbers of the label pairs, in name order. Nil: nobody has the slot.
    var labels: UnsafeMutablePointer<UInt32>?
    /// What the open float chunk has given out; room for `wordRoom` words.
    var words: UnsafeMutablePointer<UInt64>?
    var closed: UnsafeMutablePointer<ClosedChunk>?
    /// What few series have; owned.
    var side: Unmanaged<SeriesSide>?
    /// ms; of the open chunk's first sample, whichever kind.
    var openStart: Timestamp = 0
    /// The open float chunk. Also tells the newest sample's time (and bits, if it is a float) while it is empty.
    var open = XORAppender()
    var generation: UInt32 = 0
    var wordRoom: UInt32 = 0
    var closedCount: UInt32 = 0
    var closedRoom: UInt32 = 0
    var labelCount: UInt16 = 0
    var flags = Flags()

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// There has been a sample: `open` tells of the newest one.
        static let hasNewest = Flags(rawValue: 1)
        /// The newest sample is a histogram; it is in `side`.
        static let isNewestHistogram = Flags(rawValue: 2)
    }

    /// The newest in-order sample, whichever chunk holds it; nil before the first.
    var newest: NewestSample? {
        guard flags.contains(.hasNewest) else { return nil }
        return NewestSample(
            open.lastTimestamp, bits: open.lastValueBits, isHistogram: flags.contains(.isNewestHistogram))
    }

    var openHistograms: HistogramAppender? { side?._withUnsafeGuaranteedRef { $0.openHistograms } }

    var hasOpenChunk: Bool { open.count > 0 || openHistograms != nil }

    /// Open and closed, in order and not.
    var chunkCount: Int {
        let beside = side?._withUnsafeGuaranteedRef { $0.chunkCount } ?? 0
        return Int(closedCount) + (open.count > 0 ? 1 : 0) + beside
    }
}

/// What few series of the head have: histograms, chunks that are in no file yet, samples out of order. Changed by the
/// committer under the gate held exclusively.
final class SeriesSide {
    /// The open chunk, if it is one of histograms; then that of floats is empty.
    var openHistograms: HistogramAppender?
    /// Nil where the newest sample is a float.
    var newestHistogram: NativeHistogram?
    /// Closed, and in order behind the list of closed chunks in files.
    var pending: [MemoryChunk] = []
    /// In order of time, each time once.
    var outOfOrder: [OutOfOrderSample] = []
    /// In the order in which they were closed.
    var outOfOrderChunks: [ClosedChunk] = []
    /// How many of these a block is being written of: see `Head.sealOutOfOrder`.
    var sealedCount = 0
    /// As `pending`, of samples out of order.
    var outOfOrderPending: [MemoryChunk] = []

    var isNeeded: Bool {
        openHistograms != nil || newestHistogram != nil || !pending.isEmpty || hasOutOfOrder
    }

    var chunkCount: Int {
        pending.count + outOfOrderChunks.count + outOfOrderPending.count + (openHistograms == nil ? 0 : 1)
    }

    var hasOutOfOrder: Bool { !outOfOrder.isEmpty || !outOfOrderChunks.isEmpty || !outOfOrderPending.isEmpty }
}

/// A sample that came after newer ones of its series.
struct OutOfOrderSample: Sendable {
    var timestamp: Timestamp
    var value: Double
    var histogram: NativeHistogram?
}

/// The newest sample of a series: what the next one has to be newer than, or equal to. A histogram itself stands beside
/// it, so that floats are decided without counting references.
struct NewestSample: Sendable {
    let timestamp: Timestamp
    /// Of the float; 0 for a histogram.
    let bits: UInt64
    let isHistogram: Bool

    init(_ timestamp: Timestamp, bits: UInt64, isHistogram: Bool) {
        self.timestamp = timestamp
        self.bits = isHistogram ? 0 : bits
        self.isHistogram = isHistogram
    }

    /// Nil for a histogram.
    var value: Double? { isHistogram ? nil : Double(bitPattern: bits) }
}

extension NativeHistogram {
    /// Whether both hold the same, bit for bit; empty buckets do not count.
    package func holdsSame(as other: NativeHistogram) -> Bool {
        if self == other { return true }
        var (a, b) = (self, other)
        a.compact()
        b.compact()
        return a == b
    }
}
