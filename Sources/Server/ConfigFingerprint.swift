import ConfigTree
import SeriesModel

/// What `--config.auto-reload` compares: the contents of the main file and of the rule files and scrape config files
/// that it names, with their paths, as upstream's `config/reload.go` takes them. Files of targets and of credentials are
/// not in it: they are read again by themselves.
enum ConfigFingerprint {
    /// - Throws: where the main file is no YAML, or a file cannot be read.
    static func of(_ path: String) throws(ConfigError) -> [UInt64] {
        let bytes = try ConfigFile.read(path)
        var parts = [StableHash.hash(bytes)]
        let base = ConfigFile.directory(of: path)
        let root = try ConfigNode.parse(String(decoding: bytes, as: UTF8.self), file: path)
        guard case .mapping(let entries) = root.content else { return parts }
        for key in ["rule_files", "scrape_config_files"] {
            for entry in entries where entry.key == key {
                for pattern in try entry.value.strings() {
                    for file in ConfigFile.expand(glob: ConfigFile.resolve(pattern, in: base)) {
                        parts.append(StableHash.hash(Array((key + "\0" + file).utf8)))
                        parts.append(StableHash.hash(try ConfigFile.read(file)))
                    }
                }
            }
        }
        return parts
    }
}
