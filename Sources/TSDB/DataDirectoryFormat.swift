import FileIO
import StorageAPI
import StorageFiles

/// The file that says which version of the layout a data directory has, and which versions of Hearth can read it.
enum DataDirectoryFormat {
    private static let version = 1
    private static let name = "FORMAT"

    static func isThere(_ fileSystem: any FileSystem, _ directory: String) -> Bool {
        fileSystem.exists(FilePath.join(directory, name))
    }

    /// Writes the file where it is missing. - Throws: where the directory is of a newer version.
    static func check(_ fileSystem: any FileSystem, _ directory: String) throws(StorageError) {
        let path = FilePath.join(directory, name)
        guard fileSystem.exists(path) else {
            let text = "hearth \(version)\noldest-reader \(version)\n"
            try StorageError.wrapping { () throws(FileError) in try fileSystem.replace(path, with: Array(text.utf8)) }
            return
        }
        let bytes = try StorageError.wrapping { () throws(FileError) in try fileSystem.read(path, limit: 4096) }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == "\n" || $0 == " " }
        guard words.count >= 4, words[0] == "hearth", words[2] == "oldest-reader", let oldest = Int(words[3]) else {
            throw .corruption(file: path, offset: 0, reason: "not a format file of Hearth")
        }
        guard oldest <= version else {
            throw .invalid(
                reason: "\(directory) was written by a newer Hearth: its format needs a reader of version \(oldest), "
                    + "this one reads up to \(version)")
        }
    }
}

/// The file that is there while nobody has the data directory open, if the last one closed it in order.
enum CleanMarker {
    private static let name = "clean"

    static func put(_ fileSystem: any FileSystem, _ directory: String) throws(StorageError) {
        let path = FilePath.join(directory, name)
        try StorageError.wrapping { () throws(FileError) in try fileSystem.replace(path, with: []) }
    }

    /// - Returns: whether the last one closed in order, or there was none.
    static func take(_ fileSystem: any FileSystem, _ directory: String, isNew: Bool) throws(StorageError) -> Bool {
        let path = FilePath.join(directory, name)
        guard fileSystem.exists(path) else { return isNew }
        try StorageError.wrapping { () throws(FileError) in try fileSystem.remove(path) }
        return true
    }
}
