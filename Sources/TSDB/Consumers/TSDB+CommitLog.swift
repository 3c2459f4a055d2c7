import Logging
import OwnThreads
package import StorageAPI
import StorageFiles
import Synchronization
import WAL

/// Who passes on what is committed: remote write.
extension TSDB: CommitLog {
    /// How often positions are saved that have changed: so much is sent again after a kill. ms
    private static let saveInterval: Int64 = 3000

    package func openTail(consumer: String) throws(StorageError) -> any CommitTail {
        if log.hasUnknownPositions { savedPositions.withLock { _ = learnPositions(&$0) } }
        let tail = try log.openTail(consumer: consumer)
        do throws(StorageError) {
            try startSavingPositions()
        } catch {
            tail.close()
            throw error
        }
        return tail
    }

    package func keepTails(ofConsumers consumers: Set<String>) {
        let before = log.positions
        log.keepTails(ofConsumers: consumers)
        // A consumer that is forgotten must not come back after a kill. What cannot be saved now is with the next round.
        if log.positions != before { try? startSavingPositions() }
        maintenance.change { $0.isRequested = true }
    }

    /// A thread of its own: SQLite may be locked by somebody for seconds, which is to hold up neither syncs nor cuts.
    private func startSavingPositions() throws(StorageError) {
        if savesPositions.exchange(true, ordering: .relaxed) { return }
        do throws(StorageError) {
            try start("log-positions", nice: 10) { store in
                while !store.isClosing(after: TSDB.saveInterval) { store.savePositions() }
            }
        } catch {
            savesPositions.store(false, ordering: .relaxed)
            throw error
        }
    }

    /// Saves what has changed. What cannot be saved is tried again, and costs no more than sending again what was sent.
    func savePositions() {
        savedPositions.withLock { saved in
            // What is there may be all that is known of a consumer.
            if log.hasUnknownPositions, !learnPositions(&saved) { return }
            let positions = log.positions
            if positions == saved { return }
            do throws(StorageError) {
                try state.saveLogPositions(positions)
                saved = positions
                if state.refusal == nil { health.clear(.stateDatabase) }
            } catch {
                health.raise(.stateDatabase, "How far remote write has come cannot be saved", error)
            }
        }
    }

    /// Positions that could not be read at the start may be read now.
    /// - Returns: false where they cannot still.
    private func learnPositions(_ saved: inout [String: LSN]) -> Bool {
        do throws(StorageError) {
            let positions = try TSDB.savedPositions(state)
            log.learn(positions: positions)
            saved = positions
            health.clear(.stateDatabase)
            return true
        } catch {
            health.raise(.stateDatabase, "How far remote write has come cannot be read", error)
            return false
        }
    }

    /// - Throws: also where a database in memory has taken the file's place: that one knows nothing.
    private static func savedPositions(_ state: StateStore) throws(StorageError) -> [String: LSN] {
        if let refusal = state.refusal { throw refusal }
        return try state.logPositions()
    }

    /// Before anything of the log may be removed. Where they cannot be read all that may be kept is, and sent again: that is
    /// better than lost.
    /// - Returns: what is saved.
    static func restorePositions(_ options: TSDBOptions, _ state: StateStore, _ log: LogWriter) -> [String: LSN] {
        let saved: [String: LSN]
        do throws(StorageError) {
            saved = try savedPositions(state)
        } catch {
            log.noteUnknownPositions()
            options.logger.error(
                "how far remote write had come cannot be read", metadata: ["error": "\(error)"])
            return [:]
        }
        let beyond = log.restore(positions: saved)
        for consumer in beyond {
            options.logger.warning(
                "a consumer of the log was beyond its end, and goes on from there",
                metadata: ["consumer": "\(consumer)", "position": "\(saved[consumer] ?? 0)"])
        }
        if beyond.isEmpty { return saved }
        do throws(StorageError) {
            // At once: the numbers are given again to other records.
            try state.saveLogPositions(log.positions)
            return log.positions
        } catch {
            options.logger.error(
                "how far remote write has come cannot be saved", metadata: ["error": "\(error)"])
            return saved
        }
    }
}
