import ConfigTree
import SelfMetrics
import SeriesModel

/// Which queue an entry of `remote_write` is.
struct QueueIdentity: Sendable, Hashable {
    /// For logs and metrics: the entry's own name, or the beginning of a hash of all of it.
    let name: String
    /// Under which the log remembers how far it has been read. The entry's own name, or its URL: so that what waits is sent
    /// also after another key has changed.
    let consumer: String

    /// In the order of the entries.
    static func all(of sections: [RemoteWriteSection]) -> [QueueIdentity] {
        var uses: [String: Int] = [:]
        return sections.map { section in
            let yaml = section.output.yaml
            let hash = StableHash.hash(Array(yaml.utf8))
            let digits = String(hash, radix: 16)
            let padded = String(repeating: "0", count: 16 - digits.utf8.count) + digits
            let base = section.name.isEmpty ? "url:" + section.url.redacted : "name:" + section.name
            let use = uses[base, default: 0]
            uses[base] = use + 1
            return QueueIdentity(
                name: section.name.isEmpty ? String(padded.prefix(6)) : section.name,
                consumer: use == 0 ? base : "\(base)#\(use + 1)")
        }
    }

    /// The complaint about entries that are the same but for secrets: they would have the same metrics.
    package static func complaint(about sections: [RemoteWriteSection]) -> String? {
        var seen: Set<String> = []
        for section in sections where !seen.insert(section.output.yaml).inserted {
            return "duplicate remote write configs are not allowed, found duplicate for URL: \(section.url.redacted)"
        }
        return nil
    }
}
