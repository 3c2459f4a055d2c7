package import SeriesModel

/// An open chunk of native histograms, in the format of Prometheus' `tsdb/chunkenc/histogram.go` and
/// `float_histogram.go`.
///
/// A chunk says once which buckets its samples have. A sample with other buckets makes the chunk be written anew with
/// the buckets of both, as long as that is no counter reset; one of another schema, zero threshold or custom bounds
/// begins a new chunk. So within a chunk counters never fall.
///
/// One reference wide, copied on the first write: a copy is a snapshot of the chunk. Timestamps must ascend, and
/// histograms be valid (`NativeHistogram.validate`, `isStorable`); the caller has decided that.
package struct HistogramAppender: Sendable {
    private var storage: Storage

    /// Written only while one appender refers to it, which makes sharing it between threads safe.
    private final class Storage: @unchecked Sendable {
        var chunk: OpenHistogramChunk

        init(_ chunk: OpenHistogramChunk) { self.chunk = chunk }
    }

    /// Begins a chunk with its first sample.
    /// - Parameters:
    ///   - encoding: `.histogram` (only where the histogram's counts are whole) or `.floatHistogram`.
    ///   - header: what is known of the sample before; gauges and explicit resets decide it themselves.
    package init(
        _ encoding: ChunkEncoding, _ header: CounterResetHeader, _ timestamp: Timestamp, _ histogram: NativeHistogram
    ) {
        let header: CounterResetHeader =
            switch histogram.counterResetHint {
            case .gauge: .gauge
            case .reset: .reset
            case .notReset, .unknown: header
            }
        storage = Storage(OpenHistogramChunk(encoding, header, timestamp, histogram))
    }

    private var chunk: OpenHistogramChunk {
        _read { yield storage.chunk }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.chunk) }
            yield &storage.chunk
        }
    }

    package var encoding: ChunkEncoding { chunk.encoding }
    package var header: CounterResetHeader { chunk.header }
    /// Samples.
    package var count: Int { chunk.count }
    /// ms; of the newest sample.
    package var lastTimestamp: Timestamp { chunk.lastTimestamp }
    /// The newest sample as a reader of the chunk gets it; a stale marker only has its sum.
    package var newest: NativeHistogram { chunk.newest }
    /// What the chunk's bytes will number.
    package var byteCount: Int { chunk.byteCount }
    /// The chunk's bytes.
    package var bytes: [UInt8] { chunk.bytes }

    /// Adds a sample, if the chunk can go on with it.
    /// - Returns: nil when it did; else nothing has changed, and the sample has to begin a new chunk under this header.
    package mutating func append(_ timestamp: Timestamp, _ histogram: NativeHistogram) -> CounterResetHeader? {
        switch continuation(with: histogram) {
        case .breaks(let header): return header
        case .fits where chunk.isFull(for: histogram): return CounterResetHeader.continuing(histogram)
        case .fits:
            chunk.write(timestamp, histogram)
        case .expands(let expansion):
            if chunk.isFull(for: expansion) { return CounterResetHeader.continuing(histogram) }
            if expansion.chunkLacksBuckets {
                guard let rewritten = chunk.rewritten(for: expansion) else { return .unknown }
                chunk = rewritten
            }
            chunk.write(timestamp, expansion.applied(to: histogram))
        }
        return nil
    }

    /// The header of a chunk that follows this one for a reason of the caller's, such as its size.
    package func headerOfNext(_ histogram: NativeHistogram) -> CounterResetHeader {
        if case .breaks(let header) = continuation(with: histogram) { return header }
        return CounterResetHeader.continuing(histogram)
    }

    /// The encoding that a new chunk takes for a histogram: whole counts are stored in less.
    package static func encoding(for histogram: NativeHistogram) -> ChunkEncoding {
        histogram.hasWholeCounts ? .histogram : .floatHistogram
    }

    // MARK: - Whether the chunk can go on

    private enum Continuation {
        case fits
        case expands(HistogramExpansion)
        case breaks(CounterResetHeader)
    }

    private func continuation(with histogram: NativeHistogram) -> Continuation {
        if histogram.isStale { return .fits }
        let last = chunk.newest
        let isGauge = histogram.counterResetHint == .gauge
        let unknown: CounterResetHeader = isGauge ? .gauge : .unknown
        // A reset that a hint or the counts say is kept even where the chunk ends for another reason.
        let reset: CounterResetHeader = isGauge ? .gauge : .reset
        if histogram.counterResetHint == .reset { return .breaks(.reset) }
        if isGauge != (chunk.header == .gauge) || last.isStale { return .breaks(unknown) }
        if !isGauge, histogram.count < last.count { return .breaks(.reset) }
        if chunk.encoding == .histogram, !histogram.hasWholeCounts { return .breaks(unknown) }
        if histogram.schema != last.schema || histogram.zeroThreshold != last.zeroThreshold { return .breaks(unknown) }
        if histogram.usesCustomBounds, histogram.customBounds != last.customBounds { return .breaks(reset) }
        if !isGauge, histogram.zeroCount < last.zeroCount { return .breaks(.reset) }
        if histogram.positiveSpans == chunk.layout.positiveSpans, histogram.negativeSpans == chunk.layout.negativeSpans
        {
            let hasFallen =
                !isGauge
                && (zip(last.positiveBuckets, histogram.positiveBuckets).contains { $0 > $1 }
                    || zip(last.negativeBuckets, histogram.negativeBuckets).contains { $0 > $1 })
            return hasFallen ? .breaks(.reset) : .fits
        }
        let expansion = HistogramExpansion(chunk.newest, histogram)
        if !isGauge, expansion.isReset(last, histogram) { return .breaks(.reset) }
        return .expands(expansion)
    }
}

extension CounterResetHeader {
    /// Of a chunk whose first sample could have been in the chunk before.
    fileprivate static func continuing(_ histogram: NativeHistogram) -> CounterResetHeader {
        histogram.counterResetHint == .gauge ? .gauge : .notReset
    }
}

extension NativeHistogram {
    /// Whether all counts are whole numbers that doubles hold exactly: then nothing is lost in a chunk of whole counts.
    package var hasWholeCounts: Bool {
        func isWhole(_ count: Double) -> Bool {
            count >= 0 && count <= HistogramFormat.wholeCountMax && count.rounded(.towardZero) == count
                && count.sign == .plus
        }
        return isStale
            || isWhole(count) && isWhole(zeroCount) && positiveBuckets.allSatisfy(isWhole)
                && negativeBuckets.allSatisfy(isWhole)
    }

    /// Whether it is small enough for chunks.
    package var isStorable: Bool {
        positiveBuckets.count + negativeBuckets.count <= HistogramFormat.partsMax
            && positiveSpans.count + negativeSpans.count <= HistogramFormat.partsMax
            && customBounds.count <= HistogramFormat.partsMax
    }
}
