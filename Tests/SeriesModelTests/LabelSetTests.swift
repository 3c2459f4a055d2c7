import SeriesModel
import Testing

@Suite("Label sets")
struct LabelSetTests {
    @Test("labels are sorted, the last of equal names wins, empty values vanish")
    func construction() {
        let set = LabelSet([Label("b", "1"), Label("a", "2"), Label("b", "3"), Label("c", "")])
        #expect(Array(set) == [Label("a", "2"), Label("b", "3")])
        #expect(set.count == 2)
        #expect(LabelSet([Label("a", "1"), Label("a", "")]).isEmpty)
    }

    @Test("names and values are told apart by their bytes, not by canonical equivalence")
    func bytes() {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        #expect(LabelSet([Label("a", composed)]) != LabelSet([Label("a", decomposed)]))
        #expect(LabelSet([Label(composed, "1"), Label(decomposed, "2")]).count == 2)
        #expect(Label("a", composed) != Label("a", decomposed))
    }

    @Test("long names and values are kept", arguments: [127, 128, 16_383, 16_384, 100_000])
    func lengths(count: Int) {
        let text = String(repeating: "x", count: count)
        let set: LabelSet = ["a": text, "b": "1"]
        #expect(set["a"] == text)
        #expect(set["b"] == "1")
    }

    @Test("look-up, removal and replacement")
    func changes() {
        let set: LabelSet = ["__name__": "m", "a": "1", "b": "2"]
        #expect(set.metricName == "m")
        #expect(set["c"] == nil)
        #expect(set.withoutMetricName == ["a": "1", "b": "2"])
        #expect(set.dropping(["a"]) == ["__name__": "m", "b": "2"])
        #expect(set.keeping(["a"]) == ["a": "1"])
        #expect(set.setting("a", "9") == ["__name__": "m", "a": "9", "b": "2"])
        #expect(set.setting("a", "") == ["__name__": "m", "b": "2"])
        #expect(set.setting("aa", "x") == ["__name__": "m", "a": "1", "aa": "x", "b": "2"])
    }

    @Test("order goes label by label, a beginning first")
    func order() {
        let sets: [LabelSet] = [
            .empty, ["a": "1"], ["a": "1", "b": "1"], ["a": "11"], ["a": "2"], ["aa": "1"], ["b": "0"],
        ]
        for (i, x) in sets.enumerated() {
            for (j, y) in sets.enumerated() { #expect((x < y) == (i < j), "\(x) \(y)") }
        }
    }

    @Test("equal sets have equal hashes, of any process")
    func hashes() {
        let a = LabelSet([Label("x", "1"), Label("y", "2")])
        let b = LabelSet([Label("y", "2"), Label("x", "1")])
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        #expect(a.stableHash == b.stableHash)
        #expect(a.stableHash != LabelSet([Label("x", "1"), Label("y", "3")]).stableHash)
        #expect(StableHash.hash([]) == StableHash.hash([]))
        #expect(StableHash.hash([0]) != StableHash.hash([0, 0]))
    }

    @Test("PromQL's notation puts the name in front where it can")
    func notation() {
        #expect((["__name__": "m", "a": "1"] as LabelSet).metricNotation == #"m{a="1"}"#)
        #expect((["__name__": "m"] as LabelSet).metricNotation == "m")
        #expect((["__name__": "m.n"] as LabelSet).metricNotation == #"{__name__="m.n"}"#)
        #expect(LabelSet.empty.metricNotation == "{}")
    }

    @Test("a builder collects changes")
    func builder() {
        var builder = LabelSetBuilder(["a": "1", "b": "2"])
        builder.set("c", "3")
        builder.set("a", "")
        builder.remove("b")
        builder.set("c", "4")
        #expect(builder["c"] == "4")
        #expect(builder["a"] == nil)
        #expect(builder.build() == ["c": "4"])
    }

    @Test("packed bytes from outside are taken only if they are those of a set")
    func validation() {
        let set: LabelSet = ["a": String(repeating: "x", count: 300), "b": "é"]
        #expect(LabelSet(validating: set.packed) == set)
        #expect(LabelSet(validating: []) == .empty)
        let bad: [[UInt8]] = [
            [1], [1, 0x61], [1, 0x61, 1], [0, 1, 0x61], [1, 0x61, 0], [1, 0x61, 1, 0xFF], [1, 0x61, 0x81, 0, 0x61],
            [1, 0x62, 1, 0x31, 1, 0x61, 1, 0x31], [1, 0x61, 1, 0x31, 1, 0x61, 1, 0x32],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ]
        for bytes in bad { #expect(LabelSet(validating: bytes) == nil, "\(bytes)") }
        for count in set.packed.indices.dropFirst() {
            let isPrefixOfWhole = count == set.packed.count - 5
            #expect((LabelSet(validating: Array(set.packed[..<count])) != nil) == isPrefixOfWhole, "\(count)")
        }
    }
}
