import SeriesModel

/// Which slots have which label. Guarded by the gate.
struct HeadPostings: LabelIndex {
    private struct Values {
        var indexes: [LabelText: Int] = [:]
        var texts: [String] = []
        /// Ascending; empty where all series with the value have left.
        var slots: [[UInt32]] = []
    }

    private var byName: [LabelText: Values] = [:]
    private var all: [UInt32] = []
    /// Pairs of name and value that some series has.
    private(set) var pairCount = 0

    mutating func add(_ labels: LabelSet, slot: UInt32) {
        HeadPostings.insert(slot, into: &all)
        for label in labels {
            let name = LabelText(label.name)
            let value = LabelText(label.value)
            var values = byName.removeValue(forKey: name) ?? Values()
            if let index = values.indexes[value] {
                if values.slots[index].isEmpty { pairCount += 1 }
                HeadPostings.insert(slot, into: &values.slots[index])
            } else {
                values.indexes[value] = values.texts.count
                values.texts.append(label.value)
                values.slots.append([slot])
                pairCount += 1
            }
            byName[name] = values
        }
    }

    /// Takes series out; the values that nobody has any more go with them.
    mutating func remove(_ series: [(slot: UInt32, labels: LabelSet)]) {
        let leaving = Set(series.map(\.slot))
        all.removeAll { leaving.contains($0) }
        var touched: [LabelText: Set<LabelText>] = [:]
        for (_, labels) in series {
            for label in labels { touched[LabelText(label.name), default: []].insert(LabelText(label.value)) }
        }
        for (name, values) in touched {
            guard var entry = byName.removeValue(forKey: name) else { continue }
            for value in values {
                guard let index = entry.indexes[value] else { continue }
                entry.slots[index].removeAll { leaving.contains($0) }
            }
            let kept = entry.texts.indices.filter { !entry.slots[$0].isEmpty }
            pairCount -= entry.texts.count - kept.count
            if kept.isEmpty { continue }
            if kept.count < entry.texts.count {
                var rest = Values()
                for index in kept {
                    rest.indexes[LabelText(entry.texts[index])] = rest.texts.count
                    rest.texts.append(entry.texts[index])
                    rest.slots.append(entry.slots[index])
                }
                entry = rest
            }
            byName[name] = entry
        }
    }

    private static func insert(_ slot: UInt32, into slots: inout [UInt32]) {
        guard let last = slots.last, last >= slot else {
            slots.append(slot)
            return
        }
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if slots[middle] < slot { low = middle + 1 } else { high = middle }
        }
        if slots[low] != slot { slots.insert(slot, at: low) }
    }

    // MARK: LabelIndex

    func labelNames() -> [String] { byName.keys.map(\.text) }

    func labelValues(of name: String) -> [String] { byName[LabelText(name)]?.texts ?? [] }

    func postings(name: String, value: String) -> [UInt32] {
        guard let values = byName[LabelText(name)], let index = values.indexes[LabelText(value)] else { return [] }
        return values.slots[index]
    }

    func allPostings() -> [UInt32] { all }

    // MARK: Statistics

    /// For each label the values with the number of series that have them.
    func forEachPair(_ body: (_ name: String, _ value: String, _ seriesCount: Int) -> Void) {
        for (name, values) in byName {
            for (text, slots) in zip(values.texts, values.slots) { body(name.text, text, slots.count) }
        }
    }
}
