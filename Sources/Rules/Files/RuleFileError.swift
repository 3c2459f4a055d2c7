package import ConfigTree

/// All that is wrong with a rule file; never empty.
package struct RuleFileError: Error, Sendable, Hashable, CustomStringConvertible {
    package var errors: [ConfigError]

    init(_ errors: [ConfigError]) { self.errors = errors }

    /// One complaint a line, each with `file:line:col`.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
