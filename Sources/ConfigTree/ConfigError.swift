/// What is wrong with a configuration text, and where.
package struct ConfigError: Error, Hashable, Sendable {
    /// Which part of reading found the mistake: upstream words each in its own frame.
    package enum Kind: Sendable, Hashable {
        /// The text is no YAML.
        case syntax
        /// A value of the wrong type, a key that is unknown or that stands twice.
        case unmarshal
        /// A value that is not allowed.
        case invalid
    }

    package var kind: Kind
    package var file: String
    /// From 1; 0 where the file as a whole is meant.
    package var line: Int
    package var column: Int
    package var message: String

    package init(_ kind: Kind = .invalid, file: String, line: Int = 0, column: Int = 0, message: String) {
        self.kind = kind
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }
}

extension ConfigError: CustomStringConvertible {
    package var description: String {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    }
}

extension ConfigError {
    /// As upstream says it, without the file's name and with the place behind it where upstream's words have none:
    /// `yaml: unmarshal errors:\n  line 3: field x not found in type config.plain`.
    package var upstreamText: String {
        switch kind {
        case .unmarshal: "yaml: unmarshal errors:\n  line \(line): \(message)"
        case .syntax: line > 0 ? "yaml: line \(line): \(message)" : "yaml: \(message)"
        case .invalid: line > 0 ? "\(message) (line \(line), column \(column))" : message
        }
    }
}
