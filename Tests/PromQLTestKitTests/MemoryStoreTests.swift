import SeriesModel
import StorageAPI
import Testing

@testable import PromQLTestKit

@Suite struct MemoryStoreTests {
    private func store(_ text: String) throws -> MemoryStore {
        let store = MemoryStore()
        for case .load(let load) in try TestScript(text).commands { try load.append(to: store) }
        return store
    }

    private func read(_ store: MemoryStore, _ matchers: [LabelMatcher], _ range: TimeRange = .all) throws
        -> [(LabelSet, SampleBuffer)]
    {
        let selection = Selection(matchers: matchers, range: range)
        let set = try #require(try store.select([selection], cancellation: Cancellation()).first)
        return try (0..<set.count).map { index in
            var buffer = SampleBuffer()
            try set.read(index, into: &buffer)
            return (set.labels(at: index), buffer)
        }
    }

    @Test("series come in the order of their hash, samples within the range")
    func select() throws {
        let store = try store("load 1m\n a{x=\"1\"} 1 2 3\n a{x=\"2\"} 4 _ 6\n a{x=\"3\"} _ _ _\n b 1")
        let found = try read(store, [.equal("__name__", "a")], TimeRange(min: 60_000, max: 120_000))
        #expect(found.count == 2)
        #expect(found.map { $0.0.stableHash } == found.map { $0.0.stableHash }.sorted())
        let byLabel = Dictionary(uniqueKeysWithValues: found)
        #expect(byLabel[["__name__": "a", "x": "1"]]?.values == [2, 3])
        #expect(byLabel[["__name__": "a", "x": "2"]]?.timestamps == [120_000])
    }

    @Test("labels, values and series are sorted and honour matchers")
    func labels() throws {
        let store = try store("load 1m\n a{x=\"1\"} 1\n b{y=\"1\"} 2\n b{y=\"0\"} 3")
        let none = Cancellation()
        #expect(try store.labelNames(matching: [], in: .all, cancellation: none) == ["__name__", "x", "y"])
        #expect(try store.labelValues(of: "y", matching: [], in: .all, cancellation: none) == ["0", "1"])
        let matching = [[LabelMatcher.equal("__name__", "b")]]
        #expect(try store.series(matching: matching, in: .all, cancellation: none).map { $0["y"] } == ["0", "1"])
        #expect(try store.labelNames(matching: matching, in: .all, cancellation: none) == ["__name__", "y"])
        #expect(try store.series(matching: [], in: TimeRange(min: 1, max: 9), cancellation: none).isEmpty)
    }

    @Test("an old sample is refused, a repetition of the newest is not")
    func append() throws {
        let store = MemoryStore()
        try store.append([StoredSample(5, .float(1))], to: ["a": "b"])
        try store.append([StoredSample(5, .float(1))], to: ["a": "b"])
        #expect(throws: MemoryStore.AppendError.self) { try store.append([StoredSample(5, .float(2))], to: ["a": "b"]) }
        #expect(throws: MemoryStore.AppendError.self) { try store.append([StoredSample(4, .float(1))], to: ["a": "b"]) }
        #expect(try read(store, []).first?.1.values == [1])
    }

    @Test(
        "a bad histogram is refused",
        arguments: [
            "{{count:-1}}", "{{schema:9}}", "{{z_bucket:-1}}", "{{buckets:[-1]}}", "{{custom_values:[1]}}",
            "{{schema:-53 custom_values:[2 1] buckets:[1]}}", "{{schema:-53 custom_values:[1] buckets:[1 1 1]}}",
            "{{schema:-53 custom_values:[1] buckets:[1] n_buckets:[1]}}",
            "{{schema:-53 custom_values:[1] buckets:[1] z_bucket:1}}",
        ])
    func badHistogram(text: String) {
        #expect(throws: MemoryStore.AppendError.self) { try store("load 1m\n a " + text) }
    }

    @Test(
        "counter reset hints are those of runs, whatever was written",
        arguments: [
            ("{{count:1}} {{count:2}} {{count:2 counter_reset_hint:unknown}}", "unknown not_reset not_reset"),
            ("{{count:2}} {{count:1}} {{count:1}}", "unknown unknown not_reset"),
            ("{{count:1}} {{count:2 counter_reset_hint:reset}} {{count:3}}", "unknown unknown not_reset"),
            ("{{count:1}} stale {{count:2}} {{count:2}}", "unknown unknown not_reset"),
            ("{{count:1}} 5 {{count:2}}", "unknown unknown"),
            ("{{count:1 counter_reset_hint:gauge}} {{count:1}} {{count:1}}", "gauge unknown not_reset"),
            ("{{schema:0}} {{schema:1}}", "unknown unknown"),
            ("{{z_bucket_w:1}} {{z_bucket_w:2}}", "unknown unknown"),
            ("{{buckets:[1 2]}} {{buckets:[1]}}", "unknown unknown"),
            ("{{buckets:[1 0]}} {{buckets:[1]}} {{buckets:[1 0 0]}}", "unknown not_reset not_reset"),
            ("{{n_buckets:[2]}} {{n_buckets:[1]}}", "unknown unknown"),
        ])
    func hints(text: String, expected: String) throws {
        let found = try read(try store("load 1m\n a " + text), [])
        let hints = found.first?.1.histograms.map { ScriptHistogram.word(of: $0.counterResetHint) } ?? []
        #expect(hints.joined(separator: " ") == expected)
    }

    @Test("start timestamps belong to their samples")
    func startTimestamps() throws {
        let store = try store("load 1m\n a@st _ -30s -30s _\n a 1 2 _ {{count:1}}")
        let buffer = try #require(try read(store, []).first?.1)
        #expect(buffer.startTimestamps == [0, 30_000])
        #expect(buffer.histogramTimestamps == [180_000])
    }

    @Test("classic histograms become native ones with custom buckets")
    func classicHistograms() throws {
        let store = try store(
            """
            load_with_nhcb 1m
              h_bucket{le="1"} 1 2
              h_bucket{le="5"} 3 _
              h_bucket{le="5.0"} 9 _
              h_bucket{le="what"} 9 9
              h_bucket{le="+Inf"} 4 6
              h_sum 10 20
              other_bucket{le="2"} 5
              counted_count 7
            """)
        let all = Dictionary(uniqueKeysWithValues: try read(store, []))
        let h = try #require(all[["__name__": "h"]]?.histograms)
        #expect(h.map(\.customBounds) == [[1, 5], [1]])
        #expect(h.map(\.positiveBuckets) == [[1, 2, 1], [2, 4]])
        #expect(h.map(\.count) == [4, 6] && h.map(\.sum) == [10, 20])
        let other = try #require(all[["__name__": "other"]]?.histograms.first)
        #expect(other.count == 5 && other.customBounds == [2] && other.sum == 0)
        #expect(all[["__name__": "counted"]]?.histograms.first?.count == 7)
    }

    @Test(
        "inconsistent classic histograms fail the load",
        arguments: [
            "h_bucket 1", "h_bucket{le=\"1\"} 2\n h_bucket{le=\"2\"} 1", "h_bucket{le=\"1\"} -1",
            "h_bucket{le=\"+Inf\"} 2\n h_count 3", "h_bucket{le=\"1\"} 2\n h_count 1",
        ])
    func badClassicHistograms(text: String) {
        #expect(throws: MemoryStore.AppendError.self) { try store("load_with_nhcb 1m\n " + text) }
    }
}
