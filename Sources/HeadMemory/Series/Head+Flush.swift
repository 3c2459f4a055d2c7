import ChunkEncoding
import FileIO
package import SeriesModel
package import StorageAPI

extension Head {
    /// Whether `flushClosed` has something to do.
    package var hasUnflushedChunks: Bool { !pendingSlots.isEmpty }

    /// Puts the chunks that were closed into the head-chunk files: written outside of the gate, shown under it. On the
    /// committer. What cannot be written stays in memory, and is tried again the next time.
    package func flushClosed() throws(StorageError) {
        if pendingSlots.isEmpty { return }
        var entries: [HeadChunkWriter.Entry] = []
        entries.reserveCapacity(pendingSlots.count)
        // A slot may be there twice: its series was truncated, or left, before its chunks were written.
        pendingSlots.sort()
        for (index, slot) in pendingSlots.enumerated() where index == 0 || pendingSlots[index - 1] != slot {
            let record = records[slot]
            guard let side = record.pointee.side else { continue }
            let generation = record.pointee.generation
            side._withUnsafeGuaranteedRef { side in
                for chunk in side.pending {
                    entries.append(.init(slot: slot, generation: generation, chunk: chunk, isOutOfOrder: false))
                }
                for chunk in side.outOfOrderPending {
                    entries.append(.init(slot: slot, generation: generation, chunk: chunk, isOutOfOrder: true))
                }
            }
        }
        let (written, set, failure) = chunks.write(entries)
        gate.exclusive {
            if let set { chunks.show(set) }
            for (entry, chunk) in zip(entries, written) { show(chunk, of: entry) }
        }
        if written.count == entries.count {
            pendingSlots.removeAll(keepingCapacity: true)
        } else {
            let unwritten = Set(entries[written.count...].map(\.slot))
            pendingSlots.removeAll { !unwritten.contains($0) }
        }
        reclaim()
        if let failure { throw failure }
    }

    /// The first pending chunk of the series is in a file.
    private func show(_ chunk: ClosedChunk, of entry: HeadChunkWriter.Entry) {
        let record = records[entry.slot]
        withSide(record) { side in
            if entry.isOutOfOrder {
                side.outOfOrderPending.removeFirst()
                side.outOfOrderChunks.append(chunk)
            } else {
                side.pending.removeFirst()
            }
        }
        if !entry.isOutOfOrder { appendClosed(record, chunk) }
        closedBytes += Int(chunk.length) - entry.chunk.bytes.count
        dropSideIfNotNeeded(record)
    }

    /// Adds to the list of closed chunks. Readers may look at the list: a full one is copied, and retired.
    func appendClosed(_ record: UnsafeMutablePointer<SeriesRecord>, _ chunk: ClosedChunk) {
        let count = Int(record.pointee.closedCount)
        if count == Int(record.pointee.closedRoom) {
            setClosedRoom(record, count < 4 ? count + 2 : count + count / 2)
        }
        record.pointee.closed?[count] = chunk
        record.pointee.closedCount += 1
    }

    private func setClosedRoom(_ record: UnsafeMutablePointer<SeriesRecord>, _ room: Int) {
        let stride = MemoryLayout<ClosedChunk>.stride
        let count = record.pointee.closedCount
        let bytes = SlabAllocator.room(for: room * stride)
        let list = slabs.allocate(bytes).bindMemory(to: ClosedChunk.self, capacity: bytes / stride)
        if let old = record.pointee.closed {
            list.update(from: old, count: Int(count))
            retireClosed(record)
        }
        record.pointee.closed = list
        record.pointee.closedRoom = UInt32(bytes / stride)
        record.pointee.closedCount = count
    }

    /// Replaces the list. - Parameter first: the first chunk to keep.
    func dropClosed(_ record: UnsafeMutablePointer<SeriesRecord>, before first: Int) {
        let count = Int(record.pointee.closedCount)
        guard let old = record.pointee.closed, first > 0 else { return }
        for index in 0..<first { closedBytes -= Int(old[index].length) }
        guard first < count else {
            retireClosed(record)
            return
        }
        let stride = MemoryLayout<ClosedChunk>.stride
        let bytes = SlabAllocator.room(for: (count - first) * stride)
        let list = slabs.allocate(bytes).bindMemory(to: ClosedChunk.self, capacity: bytes / stride)
        list.update(from: old + first, count: count - first)
        retireClosed(record)
        record.pointee.closed = list
        record.pointee.closedRoom = UInt32(bytes / stride)
        record.pointee.closedCount = UInt32(count - first)
    }

    /// Makes the closed chunks in the files durable. Any thread.
    package func syncChunks() throws(StorageError) { try chunks.sync() }

    /// Where the next closed chunk is going to lie. On the committer.
    package var chunkPlace: HeadChunkPlace { chunks.place }
}

extension Head {
    /// Exclusive; a part of the slots at a time. Closes the open chunks of series that ended with a stale marker before a
    /// time: their memory goes when `flushClosed` has written them.
    /// - Returns: how many were closed, and how many series have ended so, however long ago.
    package func closeStale(_ slots: Range<Int>, before time: Timestamp) -> (closed: Int, stale: Int) {
        var count = 0
        var stale = 0
        for slot in slots.clamped(to: 0..<records.count) {
            let slot = UInt32(slot)
            guard let record = record(at: slot), StaleMarker.isStale(record.pointee.open.lastValue) else { continue }
            stale += 1
            guard record.pointee.open.lastTimestamp < time else { continue }
            if record.pointee.open.count > 0 {
                closeFloats(record, slot)
            } else if record.pointee.openHistograms != nil {
                closeHistograms(record, slot)
            } else {
                continue
            }
            count += 1
        }
        return (count, stale)
    }
}

extension Head {
    /// Whether a path is that of a head-chunk file.
    package static func isChunkFile(_ path: String) -> Bool {
        FilePath.name(of: FilePath.directory(of: path)).utf8.starts(with: HeadChunkFormat.directoryName.utf8)
            && HeadChunkFormat.number(FilePath.name(of: path)) != nil
    }

    /// Takes a chunk out of its series, as it cannot be read. On the committer.
    /// - Parameters:
    ///   - file: the path of the head-chunk file.
    ///   - offset: of the chunk's record.
    /// - Returns: what the chunk spanned; nil where no series has it (any more).
    package func dropDamagedChunk(file: String, offset: Int) -> TimeRange? {
        guard let number = HeadChunkFormat.number(FilePath.name(of: file)), let offset = UInt32(exactly: offset) else {
            return nil
        }
        let place = HeadChunkPlace(file: number, offset: offset)
        var span: TimeRange?
        for slot in 0..<UInt32(records.count) where span == nil {
            guard let record = record(at: slot) else { continue }
            if let closed = record.pointee.closed,
                let index = (0..<Int(record.pointee.closedCount)).first(where: { closed[$0].place == place })
            {
                span = closed[index].range
                let rest = (0..<Int(record.pointee.closedCount)).filter { $0 != index }.map { closed[$0] }
                gate.exclusive {
                    closedBytes -= Int(closed[index].length)
                    chunkCount -= 1
                    retireClosed(record)
                    for chunk in rest { appendClosed(record, chunk) }
                }
            } else if let side = record.pointee.side {
                span = side._withUnsafeGuaranteedRef { side in
                    guard let index = side.outOfOrderChunks.firstIndex(where: { $0.place == place }) else { return nil }
                    return gate.exclusive {
                        let chunk = side.outOfOrderChunks.remove(at: index)
                        if index < side.sealedCount { side.sealedCount -= 1 }
                        closedBytes -= Int(chunk.length)
                        chunkCount -= 1
                        return chunk.range
                    }
                }
            }
        }
        reclaim()
        return span
    }
}
