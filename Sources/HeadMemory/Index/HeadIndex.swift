import SeriesModel

/// The head's labels and which series have them, each question answered under the gate for itself.
package struct HeadIndex {
    private let head: Head
    private let stay: ViewEpochs.Stay

    package init(_ head: Head) {
        self.head = head
        stay = head.epochs.enter()
    }

    /// In any order.
    package func labelNames() -> [String] { head.gate.shared { head.pairs.usedNames } }

    /// The values of a label, in any order.
    package func labelValues(of name: String) -> [String] {
        // The texts are made outside of the gate: there may be a million.
        let pairs = head.gate.shared { head.pairs.pairs(ofName: name) }
        return pairs.map { head.pairs.value(of: $0) }
    }

    /// The series with the label, ascending.
    package func postings(name: String, value: String) -> [UInt32] {
        head.gate.shared {
            var slots: [UInt32] = []
            if let pair = head.pairs.number(name: name, value: value) {
                head.pairs[pair].pointee.slots.append(to: &slots)
            }
            return slots
        }
    }

    /// All series, ascending.
    package func allPostings() -> [UInt32] {
        head.gate.shared {
            var slots: [UInt32] = []
            head.allSlots.append(to: &slots)
            return slots
        }
    }

    /// For each label the values with the number of series that have them.
    package func pairCounts() -> [(name: String, value: String, seriesCount: Int)] {
        let rows = head.gate.shared {
            var rows: [(name: String, pair: UInt32, count: Int)] = []
            head.pairs.forEachPair { name, pair, count in rows.append((name, pair, count)) }
            return rows
        }
        return rows.map { ($0.name, head.pairs.value(of: $0.pair), $0.count) }
    }
}
