package import StorageAPI
package import WAL

/// A place of a data directory that is not as it was written.
package struct StoreDamage: Sendable, Hashable, CustomStringConvertible {
    /// Path of the file or directory.
    package var file: String
    /// Bytes.
    package var offset: Int
    package var reason: String

    package init(file: String, offset: Int = 0, reason: String) {
        self.file = file
        self.offset = offset
        self.reason = reason
    }

    package init(_ damage: LogDamage) {
        self.init(file: damage.file, offset: damage.offset, reason: damage.reason)
    }

    /// - Parameter path: what was being read, for errors that name no file.
    package init(_ error: StorageError, path: String) {
        switch error {
        case .corruption(let file, let offset, let reason): self.init(file: file, offset: offset, reason: reason)
        default: self.init(file: path, reason: "\(error)")
        }
    }

    package var description: String { "\(file): byte \(offset): \(reason)" }
}
