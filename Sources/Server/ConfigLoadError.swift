package import ConfigTree
import Rules

/// Why a configuration is refused, in upstream's words.
package struct ConfigLoadError: Error, Sendable, CustomStringConvertible {
    package let description: String
    /// Where it is, as far as it has one place.
    package let cause: ConfigError?

    private init(_ description: String, _ cause: ConfigError? = nil) {
        self.description = description
        self.cause = cause
    }

    /// A mistake in the main file.
    static func main(_ path: String, _ error: ConfigError) -> ConfigLoadError {
        ConfigLoadError("parsing YAML file \(path): \(error.upstreamText)", error)
    }

    /// A file that cannot be read: the system's words.
    static func unreadable(_ error: ConfigError) -> ConfigLoadError { ConfigLoadError(error.message, error) }

    /// A mistake in one of the `scrape_config_files`.
    static func scrapeFile(_ path: String, _ error: ConfigError) -> ConfigLoadError {
        ConfigLoadError("\"\(ConfigFile.absolute(path))\": \(error.upstreamText)", error)
    }

    /// A mistake in a rule file.
    static func rules(_ error: RuleFileError) -> ConfigLoadError {
        ConfigLoadError("\(error)", error.errors.first)
    }

    /// Something that is read in full and that the server does nothing about yet.
    static func unserved(_ error: ConfigError) -> ConfigLoadError { ConfigLoadError(error.description, error) }

    /// Entries of `remote_write` that cannot stand side by side.
    static func remoteWrite(_ complaint: String) -> ConfigLoadError { ConfigLoadError(complaint) }

    static func agent(_ field: String) -> ConfigLoadError {
        ConfigLoadError("field \(field) is not allowed in agent mode")
    }
}
