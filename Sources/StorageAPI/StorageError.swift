/// What a store answers when it cannot do as asked.
package enum StorageError: Error, Sendable, Hashable {
    /// Bytes on disk are not what their checksum or format says. `offset` is in bytes from the file's start.
    case corruption(file: String, offset: Int, reason: String)
    /// The operating system refused: the operation and the file, and its own words.
    case system(operation: String, path: String, message: String)
    /// The store is closed, or is being closed.
    case closed
    /// The queue of batches is full, say: the sender may try again.
    case unavailable(reason: String)
    /// The disk has no room, or is said to have none left for this: the sender may try again.
    case diskFull(reason: String)
    /// The request itself cannot be served.
    case invalid(reason: String)
}

extension StorageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .corruption(let file, let offset, let reason): "\(file): corrupt at byte \(offset): \(reason)"
        case .system(let operation, let path, let message): "\(operation) \(path): \(message)"
        case .closed: "storage is closed"
        case .unavailable(let reason), .diskFull(let reason): reason
        case .invalid(let reason): reason
        }
    }
}
