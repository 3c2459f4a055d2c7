import Glibc

/// A directory of a test's own.
struct TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/hearth-test-XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes it again after it was removed.
    func make() { mkdir(path, 0o700) }

    /// Replaces a file atomically. - Returns: its path.
    @discardableResult
    func write(_ name: String, _ text: String) -> String {
        let target = path + "/" + name
        if let file = fopen(target + ".new", "w") {
            fputs(text, file)
            fclose(file)
        }
        rename(target + ".new", target)
        return target
    }

    func delete(_ name: String) { unlink(path + "/" + name) }

    func remove() {
        guard let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink(path + "/" + name)
        }
        closedir(stream)
        rmdir(path)
    }
}
