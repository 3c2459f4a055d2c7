/// Reads the keys of one mapping and then refuses those that nobody read: a misspelt key is an error, never ignored.
package struct ConfigSection {
    private let what: String
    package let node: ConfigNode
    private var rest: [ConfigNode.Entry]

    init(what: String, node: ConfigNode, entries: [ConfigNode.Entry]) {
        self.what = what
        self.node = node
        rest = entries
    }

    /// The keys that nobody has taken yet, in the order of the text.
    package var keysLeft: [String] { rest.map(\.key) }

    /// Takes a key; nil where it is absent. A key that is there with nothing behind it gives a null node.
    package mutating func take(_ key: String) -> ConfigNode? {
        guard let index = rest.firstIndex(where: { $0.key == key }) else { return nil }
        return rest.remove(at: index).value
    }

    /// Takes a key; nil where it is absent or has nothing behind it.
    package mutating func present(_ key: String) -> ConfigNode? {
        guard let node = take(key), !node.isNull else { return nil }
        return node
    }

    package mutating func string(_ key: String) throws(ConfigError) -> String? { try take(key)?.string() }
    package mutating func bool(_ key: String) throws(ConfigError) -> Bool? { try take(key)?.bool() }
    package mutating func int(_ key: String) throws(ConfigError) -> Int? { try take(key)?.int() }
    package mutating func unsigned(_ key: String) throws(ConfigError) -> Int? { try take(key)?.unsigned() }
    package mutating func double(_ key: String) throws(ConfigError) -> Double? { try take(key)?.double() }
    package mutating func strings(_ key: String) throws(ConfigError) -> [String]? { try take(key)?.strings() }
    /// - Parameter type: as Go calls it, for the complaint.
    package mutating func sequence(_ key: String, _ type: String = "[]string") throws(ConfigError) -> [ConfigNode]? {
        try take(key)?.sequence(type)
    }
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
        guard let unknown = rest.first, !node.toleratesUnknownKeys else { return }
        throw unknown.keyNode.error("field \(unknown.key) not found in type \(what)", .unmarshal)
    }
}
