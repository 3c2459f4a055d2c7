import SeriesModel

/// Labels that each series is sent with, unless it has one of that name itself. Merged byte by byte, since it is done for
/// every series.
struct ExternalLabels: Sendable {
    private struct Entry {
        var name: [UInt8]
        /// As it stands in a label set: lengths, name, value.
        var packed: [UInt8]
    }

    private let entries: [Entry]

    init(_ labels: LabelSet) {
        var entries: [Entry] = []
        var ranges = labels.ranges
        var start = 0
        while let (name, value) = ranges.next() {
            entries.append(
                Entry(name: Array(labels.packed[name]), packed: Array(labels.packed[start..<value.upperBound])))
            start = value.upperBound
        }
        self.entries = entries
    }

    func added(to labels: LabelSet) -> LabelSet {
        if entries.isEmpty { return labels }
        var out: [UInt8] = []
        out.reserveCapacity(labels.packed.count + entries.reduce(0) { $0 + $1.packed.count })
        var next = 0
        var ranges = labels.ranges
        var start = 0
        while let (name, value) = ranges.next() {
            while next < entries.count {
                let order = ExternalLabels.order(entries[next].name, labels.packed[name])
                if order < 0 { out.append(contentsOf: entries[next].packed) }
                if order > 0 { break }
                next += 1
            }
            out.append(contentsOf: labels.packed[start..<value.upperBound])
            start = value.upperBound
        }
        for entry in entries[next...] { out.append(contentsOf: entry.packed) }
        return LabelSet(trusted: out)
    }

    private static func order(_ a: [UInt8], _ b: ArraySlice<UInt8>) -> Int {
        for (x, y) in zip(a, b) where x != y { return x < y ? -1 : 1 }
        return a.count - b.count
    }
}
