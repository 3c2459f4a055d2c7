import SeriesModel

/// A JSON value, read from what somebody else sent. What has not the expected type is nil: the readers decide whether
/// that is a fault.
enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// As written: conversions are checked when it is read.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Of two members of one name the later counts, as in Go.
    case object([String: JSONValue])

    /// - Throws: with the offset of the first byte that is wrong.
    init(parsing bytes: [UInt8]) throws(DiscoveryError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parseDocument()
    }

    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    var isNull: Bool { self == .null }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    var int: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// A port number; nil outside of 0 to 65535.
    var port: Int? { int.flatMap { (0...65_535).contains($0) ? $0 : nil } }

    var array: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    var object: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The members that are texts, sorted by name.
    var textMembers: [(name: String, value: String)] {
        (object ?? [:]).compactMap { member in member.value.string.map { (member.key, $0) } }
            .sorted { $0.name.precedesByBytes($1.name) }
    }

    /// The elements that are texts.
    var texts: [String] { (array ?? []).compactMap(\.string) }
}
