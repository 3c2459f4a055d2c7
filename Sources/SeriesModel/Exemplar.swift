/// An example of what a sample stands for: one event, with labels of its own that lead to it, mostly a trace's number.
package struct Exemplar: Sendable {
    package var labels: LabelSet
    package var value: Double
    /// ms
    package var timestamp: Timestamp

    /// Exemplars whose label names and values take more are not stored, as OpenMetrics has it. Characters of UTF-8.
    package static let labelCharactersMax = 128

    package init(labels: LabelSet, value: Double, timestamp: Timestamp) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }

    /// Whether the labels are no longer than `labelCharactersMax`.
    package var isStorable: Bool {
        // No text has more characters than bytes.
        if labels.packed.count <= Exemplar.labelCharactersMax { return true }
        var characters = 0
        var ranges = labels.ranges
        while let (name, value) = ranges.next() {
            // Every character has one byte that does not go on with another.
            for range in [name, value] { characters += labels.packed[range].count { $0 & 0xC0 != 0x80 } }
            if characters > Exemplar.labelCharactersMax { return false }
        }
        return true
    }

    /// Whether it comes before another of the same series: by time, then by value, then by labels.
    package func precedes(_ other: Exemplar) -> Bool {
        if timestamp != other.timestamp { return timestamp < other.timestamp }
        if value != other.value { return value < other.value }
        return labels < other.labels
    }
}

extension Exemplar: Hashable {
    /// Values are compared by their bits: a NaN equals itself.
    package static func == (a: Exemplar, b: Exemplar) -> Bool {
        a.timestamp == b.timestamp && a.value.bitPattern == b.value.bitPattern && a.labels == b.labels
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(timestamp)
        hasher.combine(value.bitPattern)
        hasher.combine(labels)
    }
}

/// An exemplar and the series whose it is.
package struct SeriesExemplar: Sendable, Hashable {
    package var series: LabelSet
    package var exemplar: Exemplar

    package init(series: LabelSet, exemplar: Exemplar) {
        self.series = series
        self.exemplar = exemplar
    }
}
