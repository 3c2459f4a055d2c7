import SeriesModel

/// Keeps, or drops, some labels of many label sets. Both the names and the labels of a set are in order, so one pass
/// over their bytes does it, without strings.
struct LabelProjection: Sendable {
    private let names: [[UInt8]]
    private let keepsNamed: Bool

    init(keeping names: Set<String>) { self.init(names, keepsNamed: true) }

    init(dropping names: Set<String>) { self.init(names, keepsNamed: false) }

    private init(_ names: Set<String>, keepsNamed: Bool) {
        self.names = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        self.keepsNamed = keepsNamed
    }

    func apply(to labels: LabelSet) -> LabelSet {
        if names.isEmpty { return keepsNamed ? .empty : labels }
        var kept: [UInt8] = []
        kept.reserveCapacity(labels.packed.count)
        var ranges = labels.ranges
        var start = 0
        var next = 0
        var isWhole = true
        labels.packed.withUnsafeBufferPointer { packed in
            while let (name, value) = ranges.next() {
                let bytes = UnsafeBufferPointer(rebasing: packed[name])
                while next < names.count, LabelProjection.precedes(names[next], bytes) { next += 1 }
                let isNamed = next < names.count && names[next].count == bytes.count && names[next].elementsEqual(bytes)
                if isNamed == keepsNamed {
                    kept.append(contentsOf: packed[start..<value.upperBound])
                } else {
                    isWhole = false
                }
                start = value.upperBound
            }
        }
        return isWhole ? labels : LabelSet(trusted: kept)
    }

    private static func precedes(_ a: [UInt8], _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = min(a.count, b.count)
        for index in 0..<count where a[index] != b[index] { return a[index] < b[index] }
        return a.count < b.count
    }
}
