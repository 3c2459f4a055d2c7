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
        log.keepTails(ofConsumers: consumers)
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

    /// Before anything of the log may be removed.
    /// - Returns: what is saved.
    static func restorePositions(_ options: TSDBOptions, _ state: StateStore, _ log: LogWriter) -> [String: LSN] {
        do throws(StorageError) {
            let saved = try state.logPositions()
            let beyond = log.restore(positions: saved)
            // At once: the numbers are given again to other records.
            if !beyond.isEmpty { try state.saveLogPositions(log.positions) }
            for consumer in beyond {
                options.logger.warning(
                    "a consumer of the log was beyond its end, and goes on from there",
                    metadata: ["consumer": "\(consumer)", "position": "\(saved[consumer] ?? 0)"])
            }
            return log.positions
        } catch {
            options.logger.error(
                "how far remote write had come cannot be read or saved",
                metadata: ["error": "\(error)"])
            return [:]
        }
    }
}
