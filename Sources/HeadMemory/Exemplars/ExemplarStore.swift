package import SeriesModel
import Synchronization

/// The head's ring of exemplars, behind a lock of its own that is held for moments. Changed by the committer alone.
package final class ExemplarStore: Sendable {
    /// What is published of it.
    package struct Figures: Sendable, Hashable {
        package var count: Int
        package var seriesCount: Int
        package var capacity: Int
        /// Of the one that will be overwritten next. ms
        package var oldestTime: Timestamp?
    }

    private let ring: Mutex<ExemplarRing>

    init(capacity: Int) { ring = Mutex(ExemplarRing(capacity: capacity)) }

    package var figures: Figures {
        ring.withLock {
            Figures(
                count: $0.count, seriesCount: $0.seriesCount, capacity: $0.capacity, oldestTime: $0.oldest?.timestamp)
        }
    }

    /// The newest stay.
    package func resize(to capacity: Int) { ring.withLock { $0.resize(to: capacity) } }

    // MARK: - Writing

    /// What is to be taken of exemplars that come one after the other: none whose labels are too long, none that is
    /// its series' newest once more, none that is older. Nothing where the ring is off.
    func decide(_ rows: [SeriesExemplar]) -> (taken: [SeriesExemplar], outOfOrder: Int) {
        ring.withLock { ring in
            var taken: [SeriesExemplar] = []
            var outOfOrder = 0
            guard ring.capacity > 0 else { return (taken, outOfOrder) }
            var fresh: [LabelSet: Exemplar] = [:]
            for row in rows where row.exemplar.isStorable {
                if let newest = fresh[row.series] ?? ring.newest(of: row.series) {
                    if newest == row.exemplar { continue }
                    if row.exemplar.precedes(newest) {
                        outOfOrder += 1
                        continue
                    }
                }
                fresh[row.series] = row.exemplar
                taken.append(row)
            }
            return (taken, outOfOrder)
        }
    }

    func add(_ rows: [SeriesExemplar]) {
        ring.withLock { ring in
            for row in rows { ring.add(row) }
        }
    }

    // MARK: - Reading

    /// Everything, in the order in which it came.
    package var all: [SeriesExemplar] { ring.withLock { $0.all } }

    /// Of the series that are wanted, in label order, the exemplars in a range by time; both ends are in it.
    /// - Parameter isWanted: asked without the lock.
    package func exemplars(
        in range: TimeRange, of isWanted: (LabelSet) throws -> Bool
    ) rethrows -> [(labels: LabelSet, exemplars: [Exemplar])] {
        let known = ring.withLock { $0.seriesLabels }
        return try known.filter(isWanted).sorted().compactMap { labels in
            let found = ring.withLock { $0.exemplars(of: labels, in: range) }
            return found.isEmpty ? nil : (labels, found)
        }
    }
}
