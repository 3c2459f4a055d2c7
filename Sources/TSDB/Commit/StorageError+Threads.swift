import OwnThreads
import StorageAPI

extension StorageError {
    /// Starts a thread of the store's own; failing to is a failure of the store.
    static func startingThread(
        _ name: String, nice: Int32 = 0, _ run: @escaping @Sendable () -> Void
    ) throws(StorageError) {
        do throws(SystemThread.Failure) {
            try SystemThread.start(name, nice: nice, run)
        } catch {
            throw .unavailable(reason: error.description)
        }
    }
}
