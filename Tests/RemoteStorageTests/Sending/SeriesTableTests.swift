import ConfigTree
import Relabeling
import SeriesModel
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("The table of a queue's series")
struct SeriesTableTests {
    private func preparation(
        external: LabelSet = .empty, rules: [String] = [], _ message: RemoteWriteSection.Message = .version2
    ) throws -> SeriesPreparation {
        let rules = try rules.map { try RelabelRule(ConfigNode.parse($0, file: "t.yml")) }
        return SeriesPreparation(external: ExternalLabels(external), rules: rules, message: message)
    }

    private func labels(_ slot: UInt32, _ table: SeriesTable) -> LabelSet {
        LabelSet(trusted: table.withBytes(of: slot) { Array($0) })
    }

    @Test(
        "external labels are added where a series has none of that name",
        arguments: [
            (["__name__": "up"], ["a": "1", "z": "2"], ["__name__": "up", "a": "1", "z": "2"]),
            (["__name__": "up", "a": "own"], ["a": "1", "b": "2"], ["__name__": "up", "a": "own", "b": "2"]),
            (["b": "1"], ["A": "x", "b": "2", "c": "3"], ["A": "x", "b": "1", "c": "3"]),
            ([:], ["a": "1"], ["a": "1"]), (["a": "1"], [:], ["a": "1"]),
        ] as [(LabelSet, LabelSet, LabelSet)])
    func external(series: LabelSet, external: LabelSet, expected: LabelSet) {
        #expect(ExternalLabels(external).added(to: series) == expected)
    }

    @Test("merging external labels gives what building a set does")
    func externalRandomly() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<500 {
            func set() -> LabelSet {
                LabelSet(
                    (0..<Int.random(in: 0...6, using: &random)).map { _ in
                        Label(
                            String("abcdefÄ".randomElement(using: &random) ?? "a"),
                            "v\(Int.random(in: 0...9, using: &random))")
                    })
            }
            let (series, external) = (set(), set())
            var builder = LabelSetBuilder(series)
            for label in external where builder[label.name] == nil { builder.set(label.name, label.value) }
            #expect(ExternalLabels(external).added(to: series) == builder.build())
        }
    }

    @Test("rules see external labels, and drop series")
    func relabelling() throws {
        let preparation = try preparation(
            external: ["region": "x"],
            rules: [
                "{action: drop, source_labels: [job], regex: no}",
                "{source_labels: [region], target_label: where}", "{action: labeldrop, regex: gone}",
            ])
        var table = SeriesTable()
        table.set(0, ["__name__": "a", "job": "no"], from: 0, preparation)
        table.set(1, ["__name__": "a", "gone": "1"], from: 0, preparation)
        #expect(table.slot(of: 0) == SeriesTable.dropped)
        #expect(labels(table.slot(of: 1), table) == ["__name__": "a", "region": "x", "where": "x"])
        #expect(table.slot(of: 2) == SeriesTable.unknown)
        #expect(table.slot(of: .max) == SeriesTable.unknown)
    }

    @Test("a series that loses all its labels is dropped")
    func nothingLeft() throws {
        var table = SeriesTable()
        table.set(0, ["a": "b"], from: 0, try preparation(rules: ["{action: labeldrop, regex: a}"]))
        #expect(table.slot(of: 0) == SeriesTable.dropped)
    }

    @Test("what is told again stays where it is")
    func toldAgain() throws {
        let preparation = try preparation()
        var table = SeriesTable()
        table.set(3, ["a": "b"], from: 0, preparation)
        let slot = table.slot(of: 3)
        table.set(3, ["a": "b"], from: 9, preparation)
        #expect(table.slot(of: 3) == slot)
        #expect(table.slotCount == 1)
    }

    @Test("a number's old series stays until all rows from before are delivered")
    func reassigned() throws {
        let preparation = try preparation()
        var table = SeriesTable()
        table.set(3, ["a": "b"], from: 0, preparation)
        let old = table.slot(of: 3)
        table.set(3, ["a": "c"], from: 10, preparation)
        table.reclaim(before: 9)
        #expect(labels(old, table) == ["a": "b"])
        #expect(table.slotCount == 2)
        table.reclaim(before: 10)
        #expect(table.slotCount == 1)
        table.set(4, ["a": "d"], from: 11, preparation)
        #expect(table.slot(of: 4) == old)
        #expect(labels(table.slot(of: 3), table) == ["a": "c"])
        #expect(labels(old, table) == ["a": "d"])
    }

    @Test("bytes of the dead are given back, and those of the living stay right")
    func compaction() throws {
        let preparation = try preparation()
        var table = SeriesTable()
        let text = String(repeating: "x", count: 1000)
        for round in 0..<12 as Range<UInt32> {
            for number in 0..<600 as Range<UInt32> where number % 2 == 0 || round == 0 {
                table.set(
                    number, ["n": "\(number)", "r": "\(number % 2 == 0 ? round : 0)", "t": text],
                    from: UInt64(round), preparation)
            }
            table.reclaim(before: UInt64(round))
        }
        #expect(table.byteCount < 2_500_000)
        for number in 0..<600 as Range<UInt32> {
            let expected: LabelSet = ["n": "\(number)", "r": number % 2 == 0 ? "11" : "0", "t": text]
            #expect(labels(table.slot(of: number), table) == expected)
        }
    }

    @Test("labels longer than a slab have one to themselves")
    func longLabels() throws {
        let preparation = try preparation()
        var table = SeriesTable()
        let long: LabelSet = ["a": String(repeating: "y", count: LabelSlabs.slabBytes + 5)]
        table.set(0, ["a": "b"], from: 0, preparation)
        table.set(1, long, from: 0, preparation)
        table.set(2, ["a": "c"], from: 0, preparation)
        #expect(labels(table.slot(of: 1), table) == long)
        #expect(labels(table.slot(of: 2), table) == ["a": "c"])
    }

    @Test("metadata is found by the metric's name, and by its family's")
    func metadata() throws {
        let preparation = try preparation()
        var table = SeriesTable()
        for (number, name) in ["hits_total", "size_bucket", "plain", "none"].enumerated() {
            table.set(UInt32(number), ["__name__": name], from: 0, preparation)
        }
        var book = MetadataBook()
        #expect(table.metadata(of: table.slot(of: 0), in: book) == nil)
        book.replace([
            "hits": [MetricMetadata(kind: .counter, help: "Hits.", unit: "")],
            "size": [MetricMetadata(kind: .histogram)], "plain": [MetricMetadata(kind: .gauge)],
        ])
        let kinds = (0..<4 as Range<UInt32>).map { number in
            table.metadata(of: table.slot(of: number), in: book).map { book.entries[$0].kind }
        }
        #expect(kinds == [1, 3, 2, nil])
        book.replace([:])
        #expect(table.metadata(of: table.slot(of: 0), in: book) == nil)
    }
}
