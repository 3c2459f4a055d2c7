/// One node of a YAML text with its place in it. Sections read nodes; nothing here knows any section.
package struct ConfigNode: Sendable {
    package indirect enum Content: Sendable {
        case null
        /// The raw text, unresolved: YAML 1.1 would turn `on` and `012` into something else.
        case scalar(String)
        case sequence([ConfigNode])
        case mapping([Entry])
    }

    package struct Entry: Sendable {
        package var key: String
        package var keyNode: ConfigNode
        package var value: ConfigNode
    }

    package var content: Content
    package var file: String
    /// From 1.
    package var line: Int
    package var column: Int
    /// A scalar that can be nothing but a text: in quotes, or a block.
    var isQuoted = false
    /// Keys that nobody reads are no mistake in this mapping.
    var toleratesUnknownKeys = false
    /// What a binary value holds where it is no UTF-8; its text then has replacement characters.
    package var invalidBytes: [UInt8]?

    init(content: Content, file: String, line: Int, column: Int) {
        self.content = content
        self.file = file
        self.line = line
        self.column = column
    }

    package func error(_ message: String, _ kind: ConfigError.Kind = .invalid) -> ConfigError {
        ConfigError(kind, file: file, line: line, column: column, message: message)
    }

    /// The same tree, in which keys that nobody reads are no mistake.
    package func toleratingUnknownKeys() -> ConfigNode {
        var node = self
        node.toleratesUnknownKeys = true
        switch content {
        case .sequence(let nodes): node.content = .sequence(nodes.map { $0.toleratingUnknownKeys() })
        case .mapping(let entries):
            node.content = .mapping(
                entries.map { Entry(key: $0.key, keyNode: $0.keyNode, value: $0.value.toleratingUnknownKeys()) })
        case .null, .scalar: break
        }
        return node
    }

    package var isNull: Bool {
        if case .null = content { return true }
        return false
    }
}

// MARK: - Typed values

/// A node with nothing behind its key has the zero of each type, as in Go.
extension ConfigNode {
    /// The complaint of a value of the wrong type: ``cannot unmarshal !!str `maybe` into bool``.
    /// - Parameter type: as Go calls it.
    package func mismatch(_ type: String) -> ConfigError {
        switch content {
        case .sequence: error("cannot unmarshal !!seq into \(type)", .unmarshal)
        case .mapping: error("cannot unmarshal !!map into \(type)", .unmarshal)
        case .null: error("cannot unmarshal !!null into \(type)", .unmarshal)
        case .scalar(let text):
            error(
                "cannot unmarshal \(ScalarText.tag(text, isQuoted: isQuoted)) `\(ScalarText.shortened(text))` into "
                    + type, .unmarshal)
        }
    }

    /// The text of a scalar; "" for an empty node.
    package func string() throws(ConfigError) -> String {
        switch content {
        case .scalar(let text): return text
        case .null: return ""
        default: throw mismatch("string")
        }
    }

    /// YAML 1.1's words: `true yes on`, `false no off`, in the usual cases.
    package func bool() throws(ConfigError) -> Bool {
        if isNull { return false }
        guard case .scalar(let text) = content, !isQuoted, let value = ScalarText.bool(text) else {
            throw mismatch("bool")
        }
        return value
    }

    package func int() throws(ConfigError) -> Int { try integer("int") }

    package func unsigned() throws(ConfigError) -> Int {
        let value = try integer("uint")
        guard value >= 0 else { throw mismatch("uint") }
        return value
    }

    private func integer(_ type: String) throws(ConfigError) -> Int {
        if isNull { return 0 }
        guard case .scalar(let text) = content, !isQuoted, let value = ScalarText.int(text) else {
            throw mismatch(type)
        }
        return value
    }

    package func double() throws(ConfigError) -> Double {
        if isNull { return 0 }
        guard case .scalar(let text) = content, !isQuoted, let value = ScalarText.double(text) else {
            throw mismatch("float64")
        }
        return value
    }

    /// An empty node is an empty list.
    /// - Parameter type: as Go calls it, for the complaint.
    package func sequence(_ type: String = "[]string") throws(ConfigError) -> [ConfigNode] {
        switch content {
        case .sequence(let nodes): return nodes
        case .null: return []
        default: throw mismatch(type)
        }
    }

    package func strings() throws(ConfigError) -> [String] {
        var strings: [String] = []
        for node in try sequence() { strings.append(try node.string()) }
        return strings
    }

    /// The entries of a mapping whose keys are the user's. An empty node is an empty mapping.
    package func entries() throws(ConfigError) -> [Entry] {
        let entries = try fields("map[string]string")
        if let twice = ConfigNode.duplicate(in: entries) {
            throw twice.keyNode.error("key \"\(twice.key)\" already set in map", .unmarshal)
        }
        return entries
    }

    fileprivate func fields(_ type: String) throws(ConfigError) -> [Entry] {
        switch content {
        case .mapping(let entries): return entries
        case .null: return []
        default: throw mismatch(type)
        }
    }

    /// The first entry whose key was there before.
    fileprivate static func duplicate(in entries: [Entry]) -> Entry? {
        var seen: Set<String> = []
        return entries.first { !seen.insert($0.key).inserted }
    }

    /// A reader for a mapping with a known set of keys.
    /// - Parameter what: the section's type in messages, as `config.ScrapeConfig`.
    package func section(_ what: String) throws(ConfigError) -> ConfigSection {
        let entries = try fields(what)
        if let twice = ConfigNode.duplicate(in: entries) {
            throw twice.keyNode.error("field \(twice.key) already set in type \(what)", .unmarshal)
        }
        return ConfigSection(what: what, node: self, entries: entries)
    }
}
