package import ConfigTree

/// A secret given in the configuration or in a file beside it, which is read each time it is needed: a secret that is
/// replaced is used at once.
package enum SecretSource: Sendable, Hashable {
    case inline(Secret)
    case file(String)

    /// Takes the keys of a secret: `password`, `password_file`, `password_ref`.
    /// - Parameters:
    ///   - complaint: for more than one of them.
    ///   - baseDirectory: where relative file names start.
    /// - Returns: nil where none is given.
    package static func take(
        _ name: String, from section: inout ConfigSection, complaint: String, baseDirectory: String
    ) throws(ConfigError) -> SecretSource? {
        let place = section.node
        let text = try section.string(name) ?? ""
        let path = try section.string(name + "_file") ?? ""
        let reference = section.take(name + "_ref")
        let hasReference = try reference.map { node throws(ConfigError) in try !node.string().isEmpty } ?? false
        guard [!text.isEmpty, !path.isEmpty, hasReference].count(where: { $0 }) < 2 else {
            throw place.error(complaint)
        }
        // Upstream's server, which has no secret manager either, says the same when it makes the client.
        if let reference, hasReference {
            throw reference.error("unable to use \"\(name)_ref\": cannot use secret ref without manager")
        }
        if !path.isEmpty { return .file(ConfigFile.resolve(path, in: baseDirectory)) }
        return text.isEmpty ? nil : .inline(Secret(text))
    }

    var isEmpty: Bool { self == .inline(Secret("")) }

    func text() throws(OutboundError) -> String {
        switch self {
        case .inline(let secret): secret.text
        case .file(let path): try SecretSource.read(path)
        }
    }

    static func read(_ path: String) throws(OutboundError) -> String {
        do {
            return try ConfigFile.readTrimmed(path)
        } catch {
            throw OutboundError(.credentials, "unable to read file \(path): " + error.message)
        }
    }

    /// As the configuration's rendering shows it.
    func output(_ name: String) -> (key: String, value: ConfigOutput) {
        switch self {
        case .inline: (name, .plain(Secret.mask))
        case .file(let path): (name + "_file", .text(path))
        }
    }
}

extension HTTPClientSection {
    package typealias SecretSource = OutboundHTTP.SecretSource
}
