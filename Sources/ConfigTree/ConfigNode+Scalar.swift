extension ConfigNode {
    /// What a scalar is where nothing says what it should be, by YAML 1.1's rules as upstream's parser has them.
    package enum Scalar: Sendable, Hashable {
        case null
        case bool(Bool)
        case int(Int)
        case double(Double)
        case text(String)
    }

    /// Nil where the node is a sequence or a mapping.
    package var scalar: Scalar? {
        switch content {
        case .null: return .null
        case .scalar(let text):
            let tag = ScalarText.tag(text, isQuoted: isQuoted)
            if tag == "!!bool", let value = ScalarText.bool(text) { return .bool(value) }
            if tag == "!!int", let value = ScalarText.int(text) { return .int(value) }
            if tag == "!!float", let value = ScalarText.double(text) { return .double(value) }
            return .text(text)
        case .sequence, .mapping: return nil
        }
    }
}
