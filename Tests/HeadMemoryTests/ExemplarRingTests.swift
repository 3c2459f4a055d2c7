import SeriesModel
import TestSupport
import Testing

@testable import HeadMemory

@Suite("The ring of exemplars")
struct ExemplarRingTests {
    private func labels(_ number: Int) -> LabelSet { ["__name__": "h_bucket", "le": "\(number)"] }

    private func row(_ series: Int, _ time: Timestamp, _ value: Double = 1, trace: String = "t") -> SeriesExemplar {
        SeriesExemplar(
            series: labels(series),
            exemplar: Exemplar(labels: ["trace_id": trace], value: value, timestamp: time))
    }

    @Test("holds so many, and the oldest of all series goes first", arguments: Seeds.fixed(6))
    func model(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var ring = ExemplarRing(capacity: 7)
        var model: [SeriesExemplar] = []
        for step in 0..<2000 {
            if random.chance(2) {
                let capacity = random.below(20)
                ring.resize(to: capacity)
                model = model.suffix(capacity)
            }
            let one = row(random.below(5), Timestamp(step), Double(step))
            ring.add(one)
            model = (model + [one]).suffix(ring.capacity)
            #expect(ring.all == model)
            #expect(ring.count == model.count)
            #expect(ring.oldest == model.first?.exemplar)
            #expect(Set(ring.seriesLabels) == Set(model.map(\.series)))
            for series in 0..<5 {
                let own = model.filter { $0.series == labels(series) }.map(\.exemplar)
                #expect(ring.newest(of: labels(series)) == own.last)
                #expect(ring.exemplars(of: labels(series), in: .all) == own)
                let range = TimeRange(min: Timestamp(step) - 3, max: Timestamp(step) - 1)
                #expect(
                    ring.exemplars(of: labels(series), in: range)
                        == own.filter { range.min <= $0.timestamp && $0.timestamp <= range.max })
            }
        }
    }

    @Test("refuses what is older than the series' newest, and passes over what it has")
    func order() {
        let store = ExemplarStore(capacity: 100)
        let first = store.decide([row(0, 10), row(0, 10), row(0, 9), row(1, 5), row(0, 11)])
        #expect(first.taken == [row(0, 10), row(1, 5), row(0, 11)])
        #expect(first.outOfOrder == 1)
        store.add(first.taken)
        let second = store.decide([row(0, 11), row(0, 10), row(1, 5), row(1, 4)])
        #expect(second.taken.isEmpty)
        #expect(second.outOfOrder == 2)
        // Of one time the greater value comes later, then the greater labels.
        let third = store.decide([row(0, 11, 0.5), row(0, 11, 2), row(0, 11, 2, trace: "s"), row(0, 11, 2, trace: "u")])
        #expect(third.taken == [row(0, 11, 2), row(0, 11, 2, trace: "u")])
        #expect(third.outOfOrder == 2)
    }

    @Test("takes labels of 128 characters, not of 129, however many bytes they are")
    func length() {
        let store = ExemplarStore(capacity: 10)
        let name = "trace_id"
        for filler in ["x", "ä", "日", "🙂"] {
            let fits = row(0, 1, trace: String(repeating: filler, count: 120))
            #expect(name.count == 8)
            #expect(store.decide([fits]).taken == [fits])
            #expect(store.decide([row(0, 1, trace: String(repeating: filler, count: 121))]).taken.isEmpty)
        }
        #expect(store.decide([row(0, 1, trace: "")]).taken.count == 1, "no labels at all")
    }

    @Test("takes nothing when it is off")
    func off() {
        let store = ExemplarStore(capacity: 0)
        #expect(store.decide([row(0, 1)]).taken.isEmpty)
        store.add([row(0, 1)])
        #expect(store.all.isEmpty)
        store.resize(to: 1)
        store.add([row(0, 1), row(0, 2)])
        #expect(store.all == [row(0, 2)])
        #expect(store.figures == .init(count: 1, seriesCount: 1, capacity: 1, oldestTime: 2))
    }

    @Test("gives the wanted series in label order")
    func reading() {
        let store = ExemplarStore(capacity: 10)
        store.add([row(3, 1), row(1, 2), row(2, 3), row(1, 9)])
        let found = store.exemplars(in: TimeRange(min: 1, max: 3)) { $0 != labels(2) }
        #expect(found.map(\.labels) == [labels(1), labels(3)])
        #expect(found.map(\.exemplars) == [[row(1, 2).exemplar], [row(3, 1).exemplar]])
    }
}
