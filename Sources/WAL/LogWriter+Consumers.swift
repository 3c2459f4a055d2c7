import FileIO
package import StorageAPI
package import StorageFiles
import Synchronization

/// Those who read what is appended, and the files that are kept for them: see `LogInventory`.
extension LogWriter {
    /// Opens the log for a consumer, where it was, or behind the newest record. Blocks: reads the labels of all series.
    /// - Throws: `.invalid` where it has a tail already; `.closed`; where the log cannot be read.
    package func openTail(consumer: String) throws(StorageError) -> LogTail {
        if newest.isEnded { throw .closed }
        // From here on what it needs is kept.
        guard let position = inventory.withLock({ $0.open(consumer, newest: newest.number) }) else {
            throw .invalid(reason: "consumer \(consumer) of the log has a tail already")
        }
        do throws(StorageError) {
            return try LogTail(self, consumer: consumer, behind: position)
        } catch {
            inventory.withLock { $0.close(consumer) }
            throw error
        }
    }

    /// Forgets the positions of all other consumers.
    package func keepTails(ofConsumers consumers: Set<String>) { inventory.withLock { $0.keep(consumers) } }

    /// Of each consumer the newest record that it has released.
    package var positions: [String: LSN] { inventory.withLock { $0.positions } }

    /// Whether anybody needs more than a replay does.
    package var hasConsumers: Bool { inventory.withLock { $0.hasConsumers } }

    /// Tells where consumers were before the start; before anything is appended or removed.
    /// - Returns: those that were beyond the end of the log, and are at its end now.
    package func restore(positions: [String: LSN]) -> [String] {
        let end = newest.number
        inventory.withLock { inventory in
            for (consumer, position) in positions { inventory.restore(min(position, end), of: consumer) }
        }
        return positions.filter { $0.value > end }.keys.sorted()
    }

    /// Where consumers were before the start cannot be read: until all that are wanted have opened the log, or `learn` is
    /// called, nothing counts as passed, and who opens it begins with the oldest record.
    package func noteUnknownPositions() { inventory.withLock { $0.noteUnknownPositions() } }

    /// Whether that is so.
    package var hasUnknownPositions: Bool { inventory.withLock { $0.hasUnknownPositions } }

    /// Where consumers were before the start can be read after all. Those that read already go on where they are.
    package func learn(positions: [String: LSN]) {
        let end = newest.number
        inventory.withLock { $0.learn(positions.mapValues { min($0, end) }) }
    }

    /// Nothing is appended any more: ends all waits.
    package func endTails() { newest.end() }

    // MARK: - Files that are kept

    /// What is kept for consumers alone. Bytes.
    package var heldBytes: Int { inventory.withLock { $0.heldBytes } }

    /// Whether files are there that no replay needs.
    package var hasHeldFiles: Bool {
        inventory.withLock { $0.hasHeldFiles }
            || state.withLock { state in state.olderSizes.keys.contains { $0 < state.coveredEnd } }
    }

    /// A replay reads the segments from this one on.
    package var coveredEnd: UInt64 { state.withLock { $0.coveredEnd } }

    /// A checkpoint is whole and in its place: older ones go that no consumer needs. `removeSegments` follows, on the
    /// committer.
    /// - Parameters:
    ///   - firstSegment: the one that goes on from it.
    ///   - bytes: its size.
    ///   - heldBytesMax, givingUp: as those of `trim`.
    /// - Returns: as `trim`.
    @discardableResult
    package func replaced(
        by checkpoint: LSN, firstSegment: UInt64, bytes: Int, heldBytesMax: Int = .max, givingUp: Bool = false
    ) throws(StorageError) -> [GivenUpLog] {
        let now = options.monotonicTime()
        inventory.withLock { $0.add(.init(lsn: checkpoint, origin: firstSegment, bytes: bytes, madeAt: now)) }
        return try trim(heldBytesMax: heldBytesMax, givingUp: givingUp)
    }

    /// Decides anew what is kept for consumers, and removes the older checkpoints that are not. `removeSegments` follows,
    /// on the committer. Not beside another one.
    /// - Parameters:
    ///   - heldBytesMax: where that is less than the options say.
    ///   - givingUp: whether that is nothing.
    /// - Returns: what goes though consumers have not passed it.
    @discardableResult
    package func trim(heldBytesMax: Int = .max, givingUp: Bool = false) throws(StorageError) -> [GivenUpLog] {
        let limits = LogInventory.Limits(bytes: min(options.heldBytesMax, heldBytesMax), time: options.heldTimeMax)
        let now = options.monotonicTime()
        let (givenUp, kept) = inventory.withLock { inventory in
            let givenUp = inventory.trim(limits, now: now, givingUp: givingUp)
            return (givenUp, inventory.checkpoints.map(\.lsn))
        }
        guard let newest = kept.last else { return givenUp }
        try StorageError.wrapping { () throws(FileError) in
            // Also those that are not known: they were damaged.
            for name in try fileSystem.list(directory) {
                guard let lsn = LogFormat.checkpointLSN(name), lsn < newest, !kept.contains(lsn) else { continue }
                try fileSystem.remove(FilePath.join(directory, name))
            }
        }
        return givenUp
    }
}
