import SeriesModel

/// What is known of metrics, by name: for requests of version 2, which carry it with each series.
struct MetadataBook: Sendable {
    struct Entry: Sendable, Hashable {
        var kind: UInt64
        var help: [UInt8]
        var unit: [UInt8]
    }

    /// Grows with each change; 0 for none yet.
    private(set) var version: UInt32 = 0
    private(set) var entries: [Entry] = []
    private var families: [String: MetricMetadata] = [:]
    private var indexes: [[UInt8]: Int] = [:]

    /// What a family's series have behind its name.
    private static let suffixes = ["_total", "_bucket", "_sum", "_count", "_created", "_info"].map { Array($0.utf8) }

    init() {}

    /// Where targets disagree about a metric the first one's word is taken.
    mutating func replace(_ all: [String: [MetricMetadata]]) {
        let families = all.compactMapValues(\.first)
        guard families != self.families || version == 0 else { return }
        self.families = families
        version &+= 1
        if version == 0 { version = 1 }
        entries = []
        indexes = [:]
        for (name, metadata) in families {
            indexes[Array(name.utf8)] = entries.count
            entries.append(
                Entry(
                    kind: metadata.kind.wireNumber, help: Array(metadata.help.utf8), unit: Array(metadata.unit.utf8)))
        }
    }

    /// - Parameter labels: a packed label set.
    func index(ofPacked labels: UnsafeRawBufferPointer) -> Int? {
        let labels = LabelSet(trusted: Array(labels))
        guard !indexes.isEmpty, let range = labels.valueRange(of: Label.metricName) else { return nil }
        let name = Array(labels.packed[range])
        if let index = indexes[name] { return index }
        for suffix in MetadataBook.suffixes where name.count > suffix.count && name.suffix(suffix.count) == suffix[...]
        {
            if let index = indexes[Array(name.dropLast(suffix.count))] { return index }
        }
        return nil
    }
}
