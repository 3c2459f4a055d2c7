package import SeriesModel

/// The newest exemplars of all series together: so many at most, the oldest one that came is overwritten by the next.
/// Those of one series are in order of time.
///
/// Mechanism: a ring of entries, each with the place of the same series' next one; a table of series by labels, with
/// the places of its oldest and newest. What is overwritten is always its series' oldest. After upstream's
/// tsdb/exemplar.go, but that series are known by their labels and nothing else: exemplars outlive the series' stay in
/// the head.
package struct ExemplarRing: Sendable {
    private struct Entry {
        var series: Int
        var exemplar: Exemplar
        /// The place of the series' next one; -1 for none.
        var next = -1
    }

    private struct Series {
        var labels: LabelSet
        var oldest: Int
        var newest: Int
    }

    /// How many it holds at most; 0: none.
    package private(set) var capacity: Int
    private var entries: [Entry] = []
    /// Where the next one goes once `entries` is full: the place of the oldest.
    private var start = 0
    private var series: [Series?] = []
    private var freeSeries: [Int] = []
    private var numbers: [LabelSet: Int] = [:]

    package init(capacity: Int) { self.capacity = max(0, capacity) }

    package var count: Int { entries.count }
    package var seriesCount: Int { numbers.count }
    package var oldest: Exemplar? { entries.isEmpty ? nil : entries[start].exemplar }

    package func newest(of labels: LabelSet) -> Exemplar? {
        numbers[labels].flatMap { series[$0] }.map { entries[$0.newest].exemplar }
    }

    /// Takes an exemplar that comes after the series' newest.
    package mutating func add(_ row: SeriesExemplar) {
        guard capacity > 0 else { return }
        let place: Int
        if entries.count < capacity {
            place = entries.count
        } else {
            place = start
            removeOldest()
            start = start + 1 == capacity ? 0 : start + 1
        }
        let number = number(of: row.series, place)
        let entry = Entry(series: number, exemplar: row.exemplar)
        if place == entries.count { entries.append(entry) } else { entries[place] = entry }
    }

    /// The number of a series whose newest exemplar is going to be at a place.
    private mutating func number(of labels: LabelSet, _ place: Int) -> Int {
        if let number = numbers[labels], let newest = series[number]?.newest {
            entries[newest].next = place
            series[number]?.newest = place
            return number
        }
        let one = Series(labels: labels, oldest: place, newest: place)
        let number = freeSeries.popLast() ?? series.count
        if number == series.count { series.append(one) } else { series[number] = one }
        numbers[labels] = number
        return number
    }

    private mutating func removeOldest() {
        let entry = entries[start]
        guard entry.next < 0 else {
            series[entry.series]?.oldest = entry.next
            return
        }
        if let labels = series[entry.series]?.labels { numbers[labels] = nil }
        series[entry.series] = nil
        freeSeries.append(entry.series)
    }

    /// Everything, in the order in which it came.
    package var all: [SeriesExemplar] {
        (entries[start...] + entries[..<start]).compactMap { entry in
            series[entry.series].map { SeriesExemplar(series: $0.labels, exemplar: entry.exemplar) }
        }
    }

    /// The newest stay.
    package mutating func resize(to capacity: Int) {
        guard capacity != self.capacity else { return }
        let kept = all.suffix(max(0, capacity))
        self = ExemplarRing(capacity: capacity)
        for row in kept { add(row) }
    }

    // MARK: - Reading

    /// The series that have exemplars, in no order.
    package var seriesLabels: [LabelSet] { Array(numbers.keys) }

    /// By time; empty where the series has none in the range.
    package func exemplars(of labels: LabelSet, in range: TimeRange) -> [Exemplar] {
        guard let number = numbers[labels], var place = series[number]?.oldest else { return [] }
        var found: [Exemplar] = []
        while place >= 0 {
            let entry = entries[place]
            if entry.exemplar.timestamp > range.max { break }
            if entry.exemplar.timestamp >= range.min { found.append(entry.exemplar) }
            place = entry.next
        }
        return found
    }
}
