import ChunkEncoding
package import SeriesModel
package import StorageAPI

extension Head {
    /// Exclusive. Takes a sample that is older than the series' newest. Of equal times the first one stays.
    func insert(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, _ sample: OutOfOrderSample
    ) {
        withSide(record) { side in
            if !side.hasOutOfOrder { outOfOrderSeriesCount += 1 }
            var place = side.outOfOrder.count
            while place > 0, side.outOfOrder[place - 1].timestamp > sample.timestamp { place -= 1 }
            if place > 0, side.outOfOrder[place - 1].timestamp == sample.timestamp { return }
            side.outOfOrder.insert(sample, at: place)
            if side.outOfOrder.count >= Head.outOfOrderSamplesMax { close(side, slot) }
        }
        extendRange(to: sample.timestamp)
    }

    /// Before a block is cut: all that came out of order until now goes into files, and is marked, so that what comes
    /// while the block is written is not taken for a part of it. On the committer.
    package func sealOutOfOrder() throws(StorageError) {
        guard outOfOrderSeriesCount > 0 else { return }
        gate.exclusive { forEachOutOfOrder { slot, side in if !side.outOfOrder.isEmpty { close(side, slot) } } }
        try flushClosed()
        gate.exclusive { forEachOutOfOrder { _, side in side.sealedCount = side.outOfOrderChunks.count } }
    }

    private func forEachOutOfOrder(_ body: (UInt32, SeriesSide) -> Void) {
        for slot in 0..<UInt32(records.count) {
            guard let side = records[slot].pointee.side else { continue }
            side._withUnsafeGuaranteedRef { if $0.hasOutOfOrder { body(slot, $0) } }
        }
    }

    /// The aligned block ranges that hold sealed samples out of order, ascending. On the committer. `[min, max)`, ms
    package var outOfOrderWindows: [TimeRange] {
        guard outOfOrderSeriesCount > 0 else { return [] }
        var windows: Set<Int64> = []
        forEachOutOfOrder { _, side in
            for chunk in side.outOfOrderChunks.prefix(side.sealedCount) {
                windows.insert(Timestamp.window(of: chunk.start, blockRange))
            }
        }
        return windows.sorted().map { TimeRange(min: $0 * blockRange, max: ($0 + 1) * blockRange) }
    }

    /// The waiting samples become chunks: one for each run of a kind, none across the border of two blocks.
    private func close(_ side: SeriesSide, _ slot: UInt32) {
        if side.pending.isEmpty, side.outOfOrderPending.isEmpty { pendingSlots.append(slot) }
        let chunks = OutOfOrderSample.chunks(of: side.outOfOrder, blockRange)
        side.outOfOrder = []
        side.outOfOrderPending += chunks
        closedBytes += chunks.reduce(0) { $0 + $1.bytes.count }
        chunkCount += chunks.count
    }
}

extension OutOfOrderSample {
    /// - Parameter samples: in order of time, each time once.
    static func chunks(of samples: [OutOfOrderSample], _ blockRange: Int64) -> [MemoryChunk] {
        var chunks: [MemoryChunk] = []
        var floats: [OutOfOrderSample] = []
        var open: HistogramAppender?
        var start: Timestamp = 0

        func endFloats() {
            guard let first = floats.first, let last = floats.last else { return }
            let bytes = XORAppender.encode(timestamps: floats.map(\.timestamp)[...], values: floats.map(\.value)[...])
            chunks.append(
                MemoryChunk(
                    encoding: .xor, range: TimeRange(min: first.timestamp, max: last.timestamp), bytes: bytes))
            floats = []
        }
        func endHistograms() {
            guard let full = open else { return }
            chunks.append(
                MemoryChunk(
                    encoding: full.encoding, range: TimeRange(min: start, max: full.lastTimestamp), bytes: full.bytes))
            open = nil
        }
        var window: Int64?
        for sample in samples {
            let own = Timestamp.window(of: sample.timestamp, blockRange)
            if let window, window != own {
                endFloats()
                endHistograms()
            }
            window = own
            guard let histogram = sample.histogram else {
                endHistograms()
                floats.append(sample)
                continue
            }
            endFloats()
            if open != nil, open?.append(sample.timestamp, histogram) == nil { continue }
            endHistograms()
            start = sample.timestamp
            open = HistogramAppender(
                HistogramAppender.encoding(for: histogram), .unknown, sample.timestamp, histogram)
        }
        endFloats()
        endHistograms()
        return chunks
    }
}
