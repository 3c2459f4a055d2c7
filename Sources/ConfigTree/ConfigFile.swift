import Glibc

/// Files that a configuration names: their paths and their contents.
package enum ConfigFile {
    /// Larger files are refused: a configuration, a rule file and a target list are small.
    package static let bytesMax = 64 << 20

    /// A path as the configuration writes it: relative ones are relative to the directory of the naming file.
    package static func resolve(_ path: String, in baseDirectory: String) -> String {
        if path.isEmpty || path.hasPrefix("/") || baseDirectory.isEmpty || baseDirectory == "." { return path }
        return baseDirectory.hasSuffix("/") ? baseDirectory + path : baseDirectory + "/" + path
    }

    /// The directory part of a path, `.` where there is none.
    package static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A path from the root on, as far as that can be told without looking at links.
    package static func absolute(_ path: String) -> String {
        var full = path
        if !path.hasPrefix("/"), let current = getcwd(nil, 0) {
            full = String(cString: current) + "/" + path
            free(current)
        }
        var parts: [Substring] = []
        for part in full.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Reads a whole file.
    /// - Throws: `ConfigError` with the system's words: `open NAME: no such file or directory`.
    package static func read(_ path: String, bytesMax: Int = bytesMax) throws(ConfigError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            guard bytes.count <= bytesMax else {
                throw ConfigError(file: path, message: "larger than \(ByteSize.format(Int64(bytesMax)))")
            }
            let (received, code) = readPiece(descriptor, into: &bytes)
            if received == 0 { return bytes }
            if received < 0, code != EINTR { throw failure("read", path, code) }
        }
    }

    private static func readPiece(_ descriptor: Int32, into bytes: inout [UInt8]) -> (received: Int, code: Int32) {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { piece in
            let received = Glibc.read(descriptor, piece.baseAddress, piece.count)
            let code = errno
            if received > 0 { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<received])) }
            return (received, code)
        }
    }

    /// The text of a file, with white space cut off both ends: how password and token files are read.
    package static func readTrimmed(_ path: String) throws(ConfigError) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let bytes = try read(path, bytesMax: 1 << 20).drop(while: isSpace)
        guard let last = bytes.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(decoding: bytes[...last], as: UTF8.self)
    }

    /// The files that a pattern names, sorted by name. `*`, `?` and `[...]` have their usual meaning in the last part
    /// of the path; nothing matching is no error.
    package static func expand(glob pattern: String) -> [String] {
        let directory = directory(of: pattern)
        let last = pattern.hasPrefix(directory + "/") ? String(pattern.dropFirst(directory.utf8.count + 1)) : pattern
        guard last.contains(where: { "*?[".contains($0) }) else {
            return access(pattern, F_OK) == 0 ? [pattern] : []
        }
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var paths: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != "..", fnmatch(last, name, FNM_PERIOD) == 0 else { continue }
            let prefix = pattern.utf8.contains(UInt8(ascii: "/")) ? (directory == "/" ? "/" : directory + "/") : ""
            paths.append(prefix + name)
        }
        return paths.sorted()
    }

    private static func failure(_ operation: String, _ path: String, _ code: Int32 = errno) -> ConfigError {
        let words = String(cString: strerror(code))
        return ConfigError(
            file: path, message: "\(operation) \(path): \(words.prefix(1).lowercased())\(words.dropFirst())")
    }
}
