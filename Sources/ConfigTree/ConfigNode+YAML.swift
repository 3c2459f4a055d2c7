import Yams

extension ConfigNode {
    /// Limits on what a file may make us build: nesting, and nodes after aliases are followed.
    private static let depthMax = 64
    private static let nodesMax = 1_000_000
    private static let bytesMax = 64 << 20

    /// Reads the first YAML document of a text; what follows is not looked at, as upstream does. An empty text is a
    /// null node.
    /// - Throws: `ConfigError` with line and column: bad YAML, too deep, too large. A key that stands twice is an error
    ///   of whoever reads the mapping, since only he knows what it is.
    package static func parse(_ text: String, file: String) throws(ConfigError) -> ConfigNode {
        guard text.utf8.count <= bytesMax else {
            throw ConfigError(file: file, message: "larger than \(ByteSize.format(Int64(bytesMax)))")
        }
        guard let node = try DuplicateKeys.compose(text, file: file) else {
            return ConfigNode(content: .null, file: file, line: 1, column: 1)
        }
        var budget = nodesMax
        return try ConfigNode(node, file: file, depth: 0, budget: &budget)
    }

    private init(_ node: Node, file: String, depth: Int, budget: inout Int) throws(ConfigError) {
        self.init(content: .null, file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
        budget -= 1
        guard depth < ConfigNode.depthMax else { throw error("nested too deeply", .syntax) }
        guard budget > 0 else { throw error("document contains excessive aliasing", .syntax) }
        switch node {
        case .scalar(let scalar): try read(scalar)
        case .sequence(let sequence):
            var nodes: [ConfigNode] = []
            for child in sequence { nodes.append(try ConfigNode(child, file: file, depth: depth + 1, budget: &budget)) }
            content = .sequence(nodes)
        case .mapping(let mapping):
            content = .mapping(try ConfigNode.entries(of: mapping, file: file, depth: depth, budget: &budget))
        case .alias:
            throw error("unresolved alias", .syntax)
        }
    }

    private mutating func read(_ scalar: Node.Scalar) throws(ConfigError) {
        let text = DuplicateKeys.withoutMarks(scalar.string)
        isQuoted = scalar.style != .plain && scalar.style != .any
        guard scalar.tag.description != "tag:yaml.org,2002:binary" else {
            guard let decoded = Base64.decode(text) else {
                throw error("!!binary value contains invalid base64 data", .syntax)
            }
            isQuoted = true
            content = .scalar(String(decoding: decoded, as: UTF8.self))
            if String(validating: decoded, as: UTF8.self) == nil { invalidBytes = decoded }
            return
        }
        let isEmpty = !isQuoted && ["", "~", "null", "Null", "NULL"].contains(text)
        content = isEmpty ? .null : .scalar(text)
    }

    private static func entries(
        of mapping: Node.Mapping, file: String, depth: Int, budget: inout Int
    ) throws(ConfigError) -> [Entry] {
        var entries: [Entry] = []
        var merged: [Entry] = []
        for (key, value) in mapping {
            let keyNode = try ConfigNode(key, file: file, depth: depth + 1, budget: &budget)
            let valueNode = try ConfigNode(value, file: file, depth: depth + 1, budget: &budget)
            let name = try keyNode.string()
            if name == "<<", !keyNode.isQuoted {
                for source in try valueNode.mergeSources() { merged += try source.entries() }
            } else {
                entries.append(Entry(key: name, keyNode: keyNode, value: valueNode))
            }
        }
        // Keys written out win over merged ones, earlier merges over later.
        for entry in merged where !entries.contains(where: { $0.key == entry.key }) { entries.append(entry) }
        return entries
    }

    private func mergeSources() throws(ConfigError) -> [ConfigNode] {
        if case .sequence(let nodes) = content { return nodes }
        return [self]
    }
}

/// Composing a text in which a mapping has a key twice. The composer refuses such a mapping without telling what it is
/// part of; who reads it can say which field of which section it was. So the earlier key is made different by a mark in
/// front of it, which is taken off again when nodes are made.
private enum DuplicateKeys {
    /// Of the private use area: YAML allows it.
    private static let mark: Unicode.Scalar = "\u{E0D1}"
    /// More is not told apart, nor in longer texts: the file is refused in any case.
    private static let marksMax = 16
    private static let bytesMax = 4 << 20

    static func withoutMarks(_ text: String) -> String {
        guard text.unicodeScalars.first == mark else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.drop { $0 == mark }))
    }

    static func compose(_ text: String, file: String) throws(ConfigError) -> Node? {
        var text = text
        for _ in 0..<marksMax {
            do {
                return try Parser(yaml: text).nextRoot()
            } catch let error as YamlError {
                guard case .duplicatedKeysInMapping(_, let context) = error,
                    let marked = marking(text, line: context.mark.line, column: context.mark.column)
                else { throw ConfigError(file: file, yaml: error) }
                text = marked
            } catch {
                throw ConfigError(.syntax, file: file, message: "\(error)")
            }
        }
        throw ConfigError(.syntax, file: file, message: "many keys stand twice in their mappings")
    }

    /// The text with a mark in front of the key at a place, inside its quotes; nil where no plain or quoted key is there.
    private static func marking(_ text: String, line: Int, column: Int) -> String? {
        guard text.utf8.count <= bytesMax else { return nil }
        let scalars = Array(text.unicodeScalars)
        var index = 0
        var lineNumber = 1
        while index < scalars.count, lineNumber < line {
            let scalar = scalars[index]
            index += 1
            if scalar == "\r", index < scalars.count, scalars[index] == "\n" { index += 1 }
            if ["\r", "\n", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) { lineNumber += 1 }
        }
        index += max(column - 1, 0)
        guard index < scalars.count, !["&", "*", "!", "?", "{", "["].contains(scalars[index]) else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        var marked = String.UnicodeScalarView(scalars[..<index])
        marked.append(mark)
        marked.append(contentsOf: scalars[index...])
        return String(marked)
    }
}

extension ConfigError {
    fileprivate init(file: String, yaml error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(.syntax, file: file, line: mark.line, column: mark.column, message: problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                .unmarshal, file: file, line: context.mark.line, column: context.mark.column,
                message: "mapping key \"\(duplicates.first ?? "")\" already defined")
        default:
            self.init(.syntax, file: file, message: "\(error)")
        }
    }
}
