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

    package func error(_ message: String) -> ConfigError {
        ConfigError(file: file, line: line, column: column, message: message)
    }

    package var isNull: Bool {
        if case .null = content { return true }
        return false
    }

    private var kindName: String {
        switch content {
        case .null: "nothing"
        case .scalar: "a scalar"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

// MARK: - Typed values

extension ConfigNode {
    /// The text of a scalar; "" for an empty node.
    package func string() throws(ConfigError) -> String {
        switch content {
        case .scalar(let text): return text
        case .null: return ""
        default: throw error("expected a string, got \(kindName)")
        }
    }

    /// YAML 1.1's words: `true yes on`, `false no off`, in the usual cases.
    package func bool() throws(ConfigError) -> Bool {
        let text = try string()
        switch text {
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return true
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return false
        default: throw error("cannot unmarshal \"\(text)\" into bool")
        }
    }

    package func int() throws(ConfigError) -> Int {
        let text = try string()
        guard let value = Int(text.filter { $0 != "_" }) else { throw error("cannot unmarshal \"\(text)\" into int") }
        return value
    }

    package func unsigned() throws(ConfigError) -> Int {
        let value = try int()
        guard value >= 0 else { throw error("cannot unmarshal \"\(value)\" into uint") }
        return value
    }

    package func double() throws(ConfigError) -> Double {
        let text = try string()
        guard let value = Double(text) else { throw error("cannot unmarshal \"\(text)\" into float64") }
        return value
    }

    /// An empty node is an empty list.
    package func sequence() throws(ConfigError) -> [ConfigNode] {
        switch content {
        case .sequence(let nodes): return nodes
        case .null: return []
        default: throw error("expected a list, got \(kindName)")
        }
    }

    package func strings() throws(ConfigError) -> [String] {
        var strings: [String] = []
        for node in try sequence() { strings.append(try node.string()) }
        return strings
    }

    /// An empty node is an empty mapping.
    package func entries() throws(ConfigError) -> [Entry] {
        switch content {
        case .mapping(let entries): return entries
        case .null: return []
        default: throw error("expected a mapping, got \(kindName)")
        }
    }

    /// A reader for a mapping with a known set of keys.
    /// - Parameter what: the section's name in messages, as `scrape_config`.
    package func section(_ what: String) throws(ConfigError) -> ConfigSection {
        ConfigSection(what, node: self, entries: try entries())
    }
}

/// Reads the keys of one mapping and then refuses those that nobody read: a misspelt key is an error, never ignored.
package struct ConfigSection {
    private let what: String
    package let node: ConfigNode
    private var rest: [ConfigNode.Entry]

    fileprivate init(_ what: String, node: ConfigNode, entries: [ConfigNode.Entry]) {
        self.what = what
        self.node = node
        rest = entries
    }

    /// Takes a key; nil where it is absent. A key that is there with nothing behind it gives a null node.
    package mutating func take(_ key: String) -> ConfigNode? {
        guard let index = rest.firstIndex(where: { $0.key == key }) else { return nil }
        return rest.remove(at: index).value
    }

    package mutating func string(_ key: String) throws(ConfigError) -> String? { try take(key)?.string() }
    package mutating func bool(_ key: String) throws(ConfigError) -> Bool? { try take(key)?.bool() }
    package mutating func int(_ key: String) throws(ConfigError) -> Int? { try take(key)?.int() }
    package mutating func unsigned(_ key: String) throws(ConfigError) -> Int? { try take(key)?.unsigned() }
    package mutating func double(_ key: String) throws(ConfigError) -> Double? { try take(key)?.double() }
    package mutating func strings(_ key: String) throws(ConfigError) -> [String]? { try take(key)?.strings() }
    package mutating func sequence(_ key: String) throws(ConfigError) -> [ConfigNode]? { try take(key)?.sequence() }
    package mutating func duration(_ key: String) throws(ConfigError) -> Int64? { try take(key)?.duration() }
    package mutating func size(_ key: String) throws(ConfigError) -> Int64? { try take(key)?.size() }

    /// Refuses keys that Prometheus knows and we do not serve yet: an error that says just that.
    package mutating func refuse(unsupported keys: [String]) throws(ConfigError) {
        for key in keys {
            guard let index = rest.firstIndex(where: { $0.key == key }) else { continue }
            throw rest[index].keyNode.error("\(what): \"\(key)\" is not supported by Hearth yet")
        }
    }

    /// Call last.
    package func finish() throws(ConfigError) {
        guard let unknown = rest.first else { return }
        throw unknown.keyNode.error("field \(unknown.key) not found in type \(what)")
    }
}
