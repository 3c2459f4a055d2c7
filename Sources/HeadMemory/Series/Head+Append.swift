import ChunkEncoding
package import SeriesModel

extension Head {
    /// Exclusive. - Precondition: the sample is newer than the series' newest.
    func append(_ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, _ timestamp: Timestamp, _ value: Double) {
        appendUnnoted(record, slot, timestamp, value)
        noteTime(timestamp)
    }

    /// As `append`, for loops that call `noteTime` once for the oldest and the newest time.
    @inline(__always)
    func appendUnnoted(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, _ timestamp: Timestamp, _ value: Double
    ) {
        if record.pointee.side != nil, appendBesideHistograms(record, slot, timestamp, value) { return }
        let count = record.pointee.open.count
        if count == 0 {
            begin(record, timestamp)
        } else if count >= Head.chunkSamplesMax || crossesBlocks(record, timestamp) {
            closeFloats(record, slot)
            begin(record, timestamp)
        }
        let used = Int(record.pointee.open.wordCount)
        if used + XORFormat.wordsPerSampleMax > Int(record.pointee.wordRoom) { growWords(record) }
        if let words = record.pointee.words { _ = record.pointee.open.append(timestamp, value, at: words + used) }
        record.pointee.flags = .hasNewest
    }

    private func begin(_ record: UnsafeMutablePointer<SeriesRecord>, _ timestamp: Timestamp) {
        record.pointee.openStart = timestamp
        chunkCount += 1
    }

    @inline(__always)
    private func crossesBlocks(_ record: UnsafeMutablePointer<SeriesRecord>, _ timestamp: Timestamp) -> Bool {
        // Nearly always both lie within less than a block range of each other in one window: one division less.
        Timestamp.window(of: timestamp, blockRange) != Timestamp.window(of: record.pointee.openStart, blockRange)
    }

    /// Room for at least one more sample. Readers may look at the old words: they are copied, and retired.
    private func growWords(_ record: UnsafeMutablePointer<SeriesRecord>) {
        let used = Int(record.pointee.open.wordCount)
        let wanted = max(8, used + used / 2 + XORFormat.wordsPerSampleMax)
        let bytes = SlabAllocator.room(for: wanted * 8)
        let words = slabs.allocate(bytes).bindMemory(to: UInt64.self, capacity: bytes / 8)
        if let old = record.pointee.words {
            words.update(from: old, count: used)
            retireWords(record)
        }
        record.pointee.words = words
        record.pointee.wordRoom = UInt32(bytes / 8)
    }

    /// - Returns: whether the sample, a stale marker, went into the chunk of histograms.
    private func appendBesideHistograms(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, _ timestamp: Timestamp, _ value: Double
    ) -> Bool {
        if record.pointee.openHistograms != nil {
            if StaleMarker.isStale(value) {
                append(record, slot, timestamp, NativeHistogram(sum: value))
                return true
            }
            closeHistograms(record, slot)
        }
        withSide(record) { $0.newestHistogram = nil }
        dropSideIfNotNeeded(record)
        return false
    }

    /// Exclusive. - Precondition: as for floats; the histogram is valid and storable.
    func append(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, _ timestamp: Timestamp,
        _ histogram: NativeHistogram
    ) {
        if record.pointee.open.count > 0 { closeFloats(record, slot) }
        let openStart = record.pointee.openStart
        let header: CounterResetHeader? = withSide(record) { side in
            guard let open = side.openHistograms else { return .unknown }
            let isFull =
                open.count >= Head.chunkSamplesMax
                || open.count >= Head.histogramChunkSamplesMin && open.byteCount >= Head.histogramChunkBytesMin
            if isFull || Timestamp.window(of: timestamp, blockRange) != Timestamp.window(of: openStart, blockRange) {
                return open.headerOfNext(histogram)
            }
            return side.openHistograms?.append(timestamp, histogram)
        }
        if let header {
            closeHistograms(record, slot)
            begin(record, timestamp)
            withSide(record) {
                $0.openHistograms = HistogramAppender(
                    HistogramAppender.encoding(for: histogram), header, timestamp, histogram)
            }
        }
        record.pointee.open.note(timestamp, histogram.isStale ? StaleMarker.bits : 0)
        record.pointee.flags = histogram.isStale ? .hasNewest : [.hasNewest, .isNewestHistogram]
        withSide(record) { side in
            // Shares its memory with the chunk's.
            side.newestHistogram = histogram.isStale ? nil : side.openHistograms?.newest ?? histogram
        }
        noteTime(timestamp)
    }

    // MARK: - Closing

    /// What is closed stays in memory until `flushClosed` has put it into a file.
    func closeFloats(_ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32) {
        let open = record.pointee.open
        var bytes: [UInt8] = []
        open.appendChunk(
            words: UnsafeBufferPointer(start: record.pointee.words, count: Int(open.wordCount)), to: &bytes)
        pend(
            record, slot,
            MemoryChunk(
                encoding: .xor, range: TimeRange(min: record.pointee.openStart, max: open.lastTimestamp), bytes: bytes))
        record.pointee.open.restart()
        retireWords(record)
    }

    func closeHistograms(_ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32) {
        guard let full = record.pointee.openHistograms else { return }
        withSide(record) { $0.openHistograms = nil }
        pend(
            record, slot,
            MemoryChunk(
                encoding: full.encoding, range: TimeRange(min: record.pointee.openStart, max: full.lastTimestamp),
                bytes: full.bytes))
    }

    private func pend(_ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, _ chunk: MemoryChunk) {
        withSide(record) { side in
            if side.pending.isEmpty, side.outOfOrderPending.isEmpty { pendingSlots.append(slot) }
            side.pending.append(chunk)
        }
        closedBytes += chunk.bytes.count
    }

    // MARK: - The side

    @discardableResult
    func withSide<R>(_ record: UnsafeMutablePointer<SeriesRecord>, _ body: (SeriesSide) -> R) -> R {
        if let side = record.pointee.side { return side._withUnsafeGuaranteedRef(body) }
        let side = SeriesSide()
        record.pointee.side = .passRetained(side)
        return body(side)
    }

    func dropSideIfNotNeeded(_ record: UnsafeMutablePointer<SeriesRecord>) {
        guard let side = record.pointee.side, !side._withUnsafeGuaranteedRef({ $0.isNeeded }) else { return }
        side.release()
        record.pointee.side = nil
    }
}

extension Timestamp {
    /// The number of the aligned window of so many ms that a time lies in.
    package static func window(of time: Timestamp, _ width: Int64) -> Int64 {
        let quotient = time / width
        return time % width < 0 ? quotient - 1 : quotient
    }
}
