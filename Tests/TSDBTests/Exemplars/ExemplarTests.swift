import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Exemplars in the store")
struct ExemplarTests {
    private let t = TestStore.start

    private func labels(_ number: Int) -> LabelSet { ["__name__": "h_bucket", "le": "\(number)"] }

    private func exemplar(_ time: Timestamp, _ trace: String = "a", _ value: Double = 0.5) -> Exemplar {
        Exemplar(labels: ["trace_id": trace], value: value, timestamp: time)
    }

    /// A sample of a series, and an exemplar.
    @discardableResult
    private func append(_ test: TestStore, _ series: Int, _ exemplar: Exemplar) async throws -> AppendResult {
        var batch = SampleBatch()
        let new = batch.addSeries(labels(series))
        batch.append(new: new, test.clock.now(), 1)
        batch.append(exemplar, of: .new(new))
        return try await test.store.append(batch)
    }

    private func found(
        _ test: TestStore, _ matchers: [LabelMatcher] = [.equal("__name__", "h_bucket")], _ range: TimeRange = .all
    ) throws -> [LabelSet: [Exemplar]] {
        let found = try test.store.exemplars(matching: [matchers], in: range, cancellation: Cancellation())
        #expect(found.map(\.labels) == found.map(\.labels).sorted())
        return Dictionary(uniqueKeysWithValues: found.map { ($0.labels, $0.exemplars) })
    }

    @Test("come with samples, by labels or reference, and are found by matchers and time")
    func appending() async throws {
        let test = try TestStore()
        let first = try await append(test, 1, exemplar(t))
        #expect(first.exemplarsAccepted == 1)
        let ref = try #require(first.refs[0])
        try await append(test, 2, exemplar(t + 5))
        var batch = SampleBatch()
        batch.append(ref, t + 1000, 2)
        batch.append(exemplar(t + 1000, "b"), of: .known(ref))
        #expect(try await test.store.append(batch).exemplarsAccepted == 1)
        #expect(try found(test) == [labels(1): [exemplar(t), exemplar(t + 1000, "b")], labels(2): [exemplar(t + 5)]])
        #expect(try found(test, [.equal("le", "2")]) == [labels(2): [exemplar(t + 5)]])
        #expect(try found(test, [.notEqual("le", "2")], TimeRange(min: t, max: t)) == [labels(1): [exemplar(t)]])
        #expect(try test.store.exemplars(matching: [], in: .all, cancellation: Cancellation()).isEmpty)
        #expect(test.metric("prometheus_tsdb_exemplar_exemplars_appended_total 3"))
        #expect(test.metric("prometheus_tsdb_exemplar_exemplars_in_storage 3"))
        #expect(test.metric("prometheus_tsdb_exemplar_series_with_exemplars_in_storage 2"))
        #expect(test.metric("prometheus_tsdb_exemplar_max_exemplars 100000"))
        #expect(test.metric("prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds \(t / 1000)"))
    }

    @Test("alone, of a series that is there, are taken; of one that is not they are left out")
    func alone() async throws {
        let test = try TestStore()
        try await append(test, 1, exemplar(t))
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        batch.append(exemplar(t + 1, "b"), of: .new(batch.addSeries(labels(1))))
        batch.append(exemplar(t + 1, "c"), of: .new(batch.addSeries(labels(2))))
        batch.append(exemplar(t + 1, "d"), of: .known(SeriesRef(slot: 77, generation: 1)))
        batch.append(exemplar(t + 1, "e"), of: .new(9))
        let result = try await test.store.append(batch)
        #expect(result.exemplarsAccepted == 1 && result.exemplarsOutOfOrder == 0 && result.seriesCreated == 0)
        #expect(try found(test) == [labels(1): [exemplar(t), exemplar(t + 1, "b")]])
        #expect(try test.contents().count == 1)
    }

    @Test("of a refused batch are refused; those out of order are counted, the same again are not")
    func refusals() async throws {
        let test = try TestStore()
        try await append(test, 1, exemplar(t))
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        let new = batch.addSeries(labels(1))
        batch.append(new: new, t, 7)
        batch.append(exemplar(t + 1), of: .new(new))
        #expect(try await test.store.append(batch).refusal != nil)
        #expect(try await append(test, 1, exemplar(t)).exemplarsAccepted == 0)
        #expect(try await append(test, 1, exemplar(t - 1)).exemplarsOutOfOrder == 1)
        #expect(try found(test) == [labels(1): [exemplar(t)]])
        #expect(test.metric("prometheus_tsdb_exemplar_out_of_order_exemplars_total 1"))
        #expect(test.metric("prometheus_tsdb_exemplar_exemplars_appended_total 1"))
    }

    @Test("survive the death of the process, checkpoints, and the two of them in any order")
    func durability() async throws {
        let test = try TestStore()
        var expected: [LabelSet: [Exemplar]] = [:]
        for step in 0..<60 {
            let one = exemplar(t + Timestamp(step), "\(step)", Double(step))
            try await append(test, step % 7, one)
            expected[labels(step % 7), default: []].append(one)
            test.clock.advance(by: 1000)
            if step % 9 == 4 { try test.store.checkpoint() }
            if step % 7 == 5 { try test.kill() }
            #expect(try found(test) == expected, "step \(step)")
        }
        try test.reopen()
        #expect(try found(test) == expected)
        // And what comes next is in order after them still.
        #expect(try await append(test, 3, exemplar(t)).exemplarsOutOfOrder == 1)
    }

    @Test("many are in several records of a checkpoint, and keep their order")
    func manyRecords() async throws {
        let test = try TestStore { $0.settings.exemplarsMax = 25_000 }
        var batch = SampleBatch()
        for series in 0..<10 {
            let new = batch.addSeries(labels(series))
            batch.append(new: new, t, 1)
            for index in 0..<3000 { batch.append(exemplar(t + Timestamp(index)), of: .new(new)) }
        }
        #expect(try await test.store.append(batch).exemplarsAccepted == 30_000)
        let before = test.store.head.exemplars.all
        #expect(before.count == 25_000)
        try test.store.checkpoint()
        try test.kill()
        #expect(test.store.head.exemplars.all == before)
    }

    @Test("outlive the series' stay in the head")
    func outliving() async throws {
        let test = try TestStore()
        try await append(test, 1, exemplar(t))
        test.clock.advance(by: 8 * TestStore.hour)
        try await append(test, 2, exemplar(test.clock.now()))
        try test.store.maintain()
        #expect(test.store.headStatistics().seriesCount == 1)
        #expect(try found(test).keys.count == 2)
        try test.kill()
        #expect(try found(test)[labels(1)] == [exemplar(t)])
    }

    @Test("are as many as the settings say, also when those change, and none when they say 0")
    func settings() async throws {
        let test = try TestStore { $0.settings.exemplarsMax = 3 }
        for step in 0..<5 { try await append(test, 0, exemplar(t + Timestamp(step))) }
        #expect(try found(test)[labels(0)]?.map(\.timestamp) == [t + 2, t + 3, t + 4])
        var settings = StorageSettings()
        settings.exemplarsMax = 2
        try test.store.apply(settings)
        #expect(try found(test)[labels(0)]?.map(\.timestamp) == [t + 3, t + 4])
        #expect(test.metric("prometheus_tsdb_exemplar_max_exemplars 2"))
        settings.exemplarsMax = 0
        try test.store.apply(settings)
        #expect(try await append(test, 0, exemplar(t + 9)).exemplarsAccepted == 0)
        #expect(try found(test).isEmpty)
    }

    @Test("do not puzzle who looks at the directory, beside the running store and after it")
    func inspection() async throws {
        let test = try TestStore()
        for step in 0..<5 {
            try await append(test, step % 2, exemplar(t + Timestamp(step)))
            test.clock.advance(by: 1000)
        }
        func inspect() throws {
            let verification = try StoreVerification(fileSystem: test.disk, directory: test.directory.path)
            #expect(verification.damages.isEmpty)
            let head = try Head.readOnly(fileSystem: test.disk, directory: test.directory.path, start: .min).0
            #expect(head.seriesCount == 2)
        }
        try inspect()
        try test.store.checkpoint()
        try inspect()
        try await append(test, 1, exemplar(t + 9))
        test.store.close()
        try inspect()
    }

    @Test("that cannot be logged are not shown, and the samples are stored")
    func fullDisk() async throws {
        let test = try TestStore()
        try await append(test, 1, exemplar(t))
        test.clock.advance(by: 1000)
        // The second write is that of the exemplars.
        test.disk.failWrite(1)
        let result = try await append(test, 1, exemplar(t + 1))
        #expect(result.accepted == 1 && result.exemplarsAccepted == 0)
        #expect(test.metric("prometheus_tsdb_wal_writes_failed_total 1"))
        #expect(try await append(test, 1, exemplar(t + 2)).exemplarsAccepted == 1)
        try test.kill()
        #expect(try found(test) == [labels(1): [exemplar(t), exemplar(t + 2)]])
        #expect(try test.contents()[labels(1)]?.count == 2)
    }
}
