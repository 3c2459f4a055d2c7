package import ByteCoding
package import FileIO
package import StorageAPI

extension StorageError {
    package init(_ error: FileError) {
        if error.isDiskFull {
            self = .diskFull(reason: error.description)
        } else {
            self = .system(operation: error.operation, path: error.path, message: error.message)
        }
    }

    /// - Parameter base: where in the file the bytes began that the cursor was over.
    package static func corruption(_ error: ByteError, file: String, base: Int) -> StorageError {
        .corruption(file: file, offset: base + error.offset, reason: error.description)
    }

    /// Runs file operations and turns what they throw into the store's own error.
    package static func wrapping<R>(_ body: () throws(FileError) -> R) throws(StorageError) -> R {
        do throws(FileError) {
            return try body()
        } catch {
            throw StorageError(error)
        }
    }
}
