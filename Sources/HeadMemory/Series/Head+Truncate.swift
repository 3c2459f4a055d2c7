import ChunkEncoding
package import SeriesModel

extension Head {
    /// What a truncation took away.
    package struct Truncation: Sendable, Hashable {
        package var series = 0
        package var chunks = 0
        /// Of what stays: the oldest sample in order, and the oldest out of order, at most. ms
        package var oldest: Timestamp?
        package var oldestOutOfOrder: Timestamp?

        package init() {}

        package mutating func add(_ other: Truncation) {
            series += other.series
            chunks += other.chunks
            oldest = [oldest, other.oldest].compactMap { $0 }.min()
            oldestOutOfOrder = [oldestOutOfOrder, other.oldestOutOfOrder].compactMap { $0 }.min()
        }
    }

    /// Exclusive, before the first part is truncated.
    package func beginTruncation() { oldestTime = nil }

    /// Exclusive; a part of the slots at a time, so that nobody waits long at the gate. Forgets what lies before `start`
    /// in order, and what was sealed out of order before `outOfOrderEnd`; series that hold nothing any more leave.
    /// - Parameter outOfOrderEnd: blocks have what was out of order before. ms
    package func truncate(_ slots: Range<Int>, outOfOrderEnd: Timestamp) -> Truncation {
        var gone = Truncation()
        for slot in slots.clamped(to: 0..<records.count) {
            let slot = UInt32(slot)
            let record = records[slot]
            guard record.pointee.labels != nil else { continue }
            gone.chunks += truncate(record, outOfOrderEnd)
            if isEmpty(record.pointee) {
                leave(slot)
                gone.series += 1
            } else {
                note(record.pointee, in: &gone)
            }
        }
        chunkCount -= gone.chunks
        return gone
    }

    private func note(_ record: SeriesRecord, in truncation: inout Truncation) {
        var oldest: Timestamp? = record.hasOpenChunk ? record.openStart : nil
        record.side?._withUnsafeGuaranteedRef { side in
            if let first = side.pending.first { oldest = first.range.min }
            let late =
                side.outOfOrderChunks.map(\.start) + side.outOfOrderPending.map(\.range.min)
                + side.outOfOrder.map(\.timestamp)
            if let first = late.min() {
                truncation.oldestOutOfOrder = min(truncation.oldestOutOfOrder ?? first, first)
            }
        }
        if let closed = record.closed, record.closedCount > 0 { oldest = closed[0].start }
        if let oldest { truncation.oldest = min(truncation.oldest ?? oldest, oldest) }
    }

    private func isEmpty(_ record: SeriesRecord) -> Bool {
        if record.closedCount > 0 || record.open.count > 0 { return false }
        return record.side?._withUnsafeGuaranteedRef {
            $0.openHistograms == nil && $0.pending.isEmpty && !$0.hasOutOfOrder
        } ?? true
    }

    /// - Returns: how many chunks went.
    private func truncate(_ record: UnsafeMutablePointer<SeriesRecord>, _ outOfOrderEnd: Timestamp) -> Int {
        var chunks = 0
        if let closed = record.pointee.closed {
            var first = 0
            while first < Int(record.pointee.closedCount), closed[first].range.max < start { first += 1 }
            dropClosed(record, before: first)
            chunks += first
        }
        if record.pointee.open.count > 0, record.pointee.open.lastTimestamp < start {
            record.pointee.open.restart()
            retireWords(record)
            chunks += 1
        }
        guard record.pointee.side != nil else { return chunks }
        let newest = record.pointee.open.lastTimestamp
        withSide(record) { side in
            let hadOutOfOrder = side.hasOutOfOrder
            if side.openHistograms != nil, newest < start {
                side.openHistograms = nil
                side.newestHistogram = nil
                chunks += 1
            }
            chunks += drop(&side.pending, before: start)
            let sealed = side.outOfOrderChunks.prefix(side.sealedCount)
            let kept = sealed.filter { $0.range.max >= outOfOrderEnd }
            closedBytes -= sealed.reduce(0) { $0 + ($1.range.max < outOfOrderEnd ? Int($1.length) : 0) }
            chunks += sealed.count - kept.count
            side.outOfOrderChunks = kept + side.outOfOrderChunks.dropFirst(side.sealedCount)
            side.sealedCount = 0
            if hadOutOfOrder, !side.hasOutOfOrder { outOfOrderSeriesCount -= 1 }
        }
        dropSideIfNotNeeded(record)
        return chunks
    }

    private func drop(_ chunks: inout [MemoryChunk], before time: Timestamp) -> Int {
        let count = chunks.count
        for chunk in chunks where chunk.range.max < time { closedBytes -= chunk.bytes.count }
        chunks.removeAll { $0.range.max < time }
        return count - chunks.count
    }

    /// Exclusive, after all slots were truncated.
    /// - Parameter truncation: of all parts together.
    package func endTruncation(_ truncation: Truncation) {
        // Samples that came while the parts were truncated have told their time.
        oldestTime = [oldestTime, truncation.oldest].compactMap { $0 }.min()
        guard let known = range else { return }
        guard let oldest = [oldestTime, truncation.oldestOutOfOrder].compactMap({ $0 }).min() else {
            range = seriesCount == 0 ? nil : known
            forgetTombstones()
            return
        }
        range = TimeRange(min: max(known.min, oldest), max: max(known.max, oldest))
        forgetTombstones()
    }

    /// The head-chunk files that nothing refers to any more: out of the set under the gate, then removed. On the
    /// committer.
    /// - Parameter time: no chunk that ends before is in use. ms
    package func removeChunkFiles(before time: Timestamp) throws {
        guard let kept = chunks.files(without: time) else { return }
        let old = chunks.files
        gate.exclusive { chunks.show(kept) }
        try chunks.removeFiles(before: kept, of: old)
    }
}
