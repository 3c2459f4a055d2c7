import Yams

extension ConfigNode {
    /// Limits on what a file may make us build: nesting, and nodes after aliases are followed.
    private static let depthMax = 64
    private static let nodesMax = 1_000_000
    private static let bytesMax = 64 << 20

    /// Reads one YAML document. An empty text is a null node.
    /// - Throws: `ConfigError` with line and column: bad YAML, a key twice, too deep, too large.
    package static func parse(_ text: String, file: String) throws(ConfigError) -> ConfigNode {
        guard text.utf8.count <= bytesMax else {
            throw ConfigError(file: file, message: "larger than \(ByteSize.format(Int64(bytesMax)))")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigError(file: file, yaml: error)
        } catch {
            throw ConfigError(file: file, message: "yaml: \(error)")
        }
        guard let node else { return ConfigNode(content: .null, file: file, line: 1, column: 1) }
        var budget = nodesMax
        return try ConfigNode(node, file: file, depth: 0, budget: &budget)
    }

    private init(_ node: Node, file: String, depth: Int, budget: inout Int) throws(ConfigError) {
        self.file = file
        line = node.mark?.line ?? 0
        column = node.mark?.column ?? 0
        content = .null
        budget -= 1
        guard depth < ConfigNode.depthMax else { throw error("nested too deeply") }
        guard budget > 0 else { throw error("too many nodes") }
        switch node {
        case .scalar(let scalar):
            guard scalar.tag.description != "tag:yaml.org,2002:binary" else {
                throw error("values tagged !!binary are not supported by Hearth yet")
            }
            let isEmpty = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            content = isEmpty ? .null : .scalar(scalar.string)
        case .sequence(let sequence):
            var nodes: [ConfigNode] = []
            for child in sequence { nodes.append(try ConfigNode(child, file: file, depth: depth + 1, budget: &budget)) }
            content = .sequence(nodes)
        case .mapping(let mapping):
            content = .mapping(try ConfigNode.entries(of: mapping, file: file, depth: depth, budget: &budget))
        case .alias:
            throw error("unresolved alias")
        }
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
            if name == "<<" {
                for source in try valueNode.mergeSources() { merged += try source.entries() }
            } else if entries.contains(where: { $0.key == name }) {
                throw keyNode.error("mapping key \"\(name)\" already defined")
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

extension ConfigError {
    fileprivate init(file: String, yaml error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(file: file, line: mark.line, column: mark.column, message: "yaml: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                file: file, line: context.mark.line, column: context.mark.column,
                message: "mapping key \"\(duplicates.first ?? "")\" already defined")
        default:
            self.init(file: file, message: "yaml: \(error)")
        }
    }
}
