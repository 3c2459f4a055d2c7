/// One flag of the server: a row of the table that feeds parsing, `--help` and `/api/v1/status/flags`.
package struct FlagDefinition: Sendable {
    package enum Kind: Sendable, Hashable {
        /// `--x`, `--no-x`, `--x=false`
        case boolean
        case text
        /// May be given several times; each value may also be a comma-separated list where upstream says so.
        case repeated
        case duration
        case size
        case integer
        case real
        case choice([String])
    }

    package enum Effect: Sendable, Hashable {
        case active
        /// Known to Prometheus, nothing behind it here yet: giving it is worth a warning.
        case none
        /// Has no meaning outside of Prometheus' own runtime; accepted in silence.
        case ignored
    }

    package let name: String
    package let kind: Kind
    /// As shown in `status/flags` when the flag is not given.
    package let defaultValue: String
    package let help: String
    package let effect: Effect
    /// Left out of `--help`, as upstream does; still accepted and shown in `status/flags`.
    package let isHidden: Bool

    init(
        _ name: String, _ kind: Kind, _ defaultValue: String, _ help: String, effect: Effect = .active,
        isHidden: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.help = help
        self.effect = effect
        self.isHidden = isHidden
    }
}
