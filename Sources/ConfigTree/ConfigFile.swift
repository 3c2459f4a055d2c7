import Glibc

/// Files that a configuration names: their paths and their contents.
package enum ConfigFile {
    /// Larger files are refused: a configuration, a rule file and a target list are small.
    package static let bytesMax = 64 << 20

    /// A path as the configuration writes it: relative ones are relative to the directory of the naming file.
    package static func resolve(_ path: String, in baseDirectory: String) -> String {
        if path.isEmpty || path.hasPrefix("/") || baseDirectory.isEmpty { return path }
        let joined = cleaned(baseDirectory + "/" + path)
        return joined.isEmpty ? "." : joined
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
        return cleaned(full)
    }

    /// Without `.`, `..` and doubled slashes, as far as that can be told without looking at links.
    private static func cleaned(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !isAbsolute {
                parts.append(part)
            }
        }
        return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
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

    /// Patterns in more parts of a path than so many are refused with an empty answer, as are more matches.
    private static let patternDepthMax = 32
    private static let matchesMax = 100_000

    /// The files that a pattern names, sorted. `*`, `?` and `[...]` have their usual meaning in every part of the path,
    /// and match names that begin with a dot like others; nothing matching is no error.
    package static func expand(glob pattern: String) -> [String] { expand(pattern, depth: 0).sorted() }

    private static func expand(_ pattern: String, depth: Int) -> [String] {
        guard hasWildcard(pattern) else { return access(pattern, F_OK) == 0 ? [pattern] : [] }
        guard depth < patternDepthMax else { return [] }
        let slash = pattern.utf8.lastIndex(of: UInt8(ascii: "/"))
        let last = slash.map { String(pattern[pattern.utf8.index(after: $0)...]) } ?? pattern
        let directory = directory(of: pattern)
        let directories = hasWildcard(directory) ? expand(directory, depth: depth + 1) : [directory]
        var paths: [String] = []
        for directory in directories {
            let prefix = slash == nil ? "" : directory == "/" ? "/" : directory + "/"
            guard hasWildcard(last) else {
                if access(prefix + last, F_OK) == 0 { paths.append(prefix + last) }
                continue
            }
            for name in names(in: directory) where fnmatch(last, name, 0) == 0 && paths.count < matchesMax {
                paths.append(prefix + name)
            }
        }
        return paths
    }

    private static func hasWildcard(_ path: String) -> Bool {
        path.utf8.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) }
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func failure(_ operation: String, _ path: String, _ code: Int32 = errno) -> ConfigError {
        let words = String(cString: strerror(code))
        return ConfigError(
            file: path, message: "\(operation) \(path): \(words.prefix(1).lowercased())\(words.dropFirst())")
    }
}
