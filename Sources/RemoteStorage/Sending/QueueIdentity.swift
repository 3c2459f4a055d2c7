import ConfigTree
import SelfMetrics
import SeriesModel

/// Which queue an entry of `remote_write` is.
struct QueueIdentity: Sendable, Hashable {
    /// For logs and metrics: the entry's own name, or the beginning of a hash of all of it.
    let name: String
    /// Under which the log remembers how far it has been read. The entry's own name, or its URL: so that what waits is sent
    /// also after another key has changed. Where several entries without a name have one URL, a hash of what they send
    /// tells them apart, wherever they stand.
    let consumer: String

    /// In the order of the entries.
    static func all(of sections: [RemoteWriteSection]) -> [QueueIdentity] {
        let consumers = consumers(of: sections)
        return zip(sections, consumers).map { section, consumer in
            let name = section.name.isEmpty ? String(digits(section).prefix(6)) : section.name
            return QueueIdentity(name: name, consumer: consumer)
        }
    }

    /// Each step tells apart what the one before leaves alike.
    private static func consumers(of sections: [RemoteWriteSection]) -> [String] {
        let byPlace = sections.map { $0.name.isEmpty ? "url:" + $0.url.redacted : "name:" + $0.name }
        let byContent = qualified(byPlace) { "#" + digits(content(of: sections[$0])) }
        let byAll = qualified(byContent) { "," + digits(sections[$0]) }
        var uses: [String: Int] = [:]
        return byAll.map { consumer in
            let use = uses[consumer, default: 0] + 1
            uses[consumer] = use
            return use == 1 ? consumer : "\(consumer),\(use)"
        }
    }

    /// - Parameter suffix: of an entry whose consumer others have too, by its index.
    private static func qualified(_ consumers: [String], _ suffix: (Int) -> String) -> [String] {
        var uses: [String: Int] = [:]
        for consumer in consumers { uses[consumer, default: 0] += 1 }
        return consumers.enumerated().map { index, consumer in
            uses[consumer] == 1 ? consumer : consumer + suffix(index)
        }
    }

    /// What the entry sends and for whom, without how: so that turning at `queue_config` loses nothing.
    private static func content(of section: RemoteWriteSection) -> RemoteWriteSection {
        var content = section
        let plain = RemoteWriteSection(url: section.url, client: section.client)
        content.timeout = plain.timeout
        content.usesRoundRobinDNS = plain.usesRoundRobinDNS
        content.logsFailedRequests = plain.logsFailedRequests
        content.queue = plain.queue
        content.metadata = plain.metadata
        return content
    }

    /// A hash of the entry as it is shown, in sixteen digits: the same in every process.
    private static func digits(_ section: RemoteWriteSection) -> String {
        let digits = String(StableHash.hash(Array(section.output.yaml.utf8)), radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
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
