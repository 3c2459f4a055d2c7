/// What is wrong with a configuration text, and where.
package struct ConfigError: Error, Hashable, Sendable {
    package var file: String
    /// From 1; 0 where the file as a whole is meant.
    package var line: Int
    package var column: Int
    package var message: String

    package init(file: String, line: Int = 0, column: Int = 0, message: String) {
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
