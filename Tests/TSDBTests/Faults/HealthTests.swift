import FileIO
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("What does not work now")
struct HealthTests {
    private let up: LabelSet = ["__name__": "up"]

    private func fill(_ test: TestStore, minutes: Int) async throws {
        for _ in 0..<minutes {
            test.clock.advance(by: 60_000)
            try await test.append([(up, test.clock.now(), Double(test.clock.now() / 60_000 % 1000))])
        }
    }

    private func kinds(_ test: TestStore) -> [StorageProblem.Kind] { test.store.problems.map(\.kind) }

    @Test(
        "Samples that cannot be logged are a problem for as long as they cannot, with its text, its begin and a metric",
        arguments: [5, 28, 30])
    func log(code: Int32) async throws {
        let test = try TestStore()
        try await fill(test, minutes: 1)
        #expect(test.store.problems.isEmpty)
        #expect(test.metric("hearth_tsdb_healthy 1"))
        #expect(test.metric(#"hearth_tsdb_problem{kind="log_write"} 0"#))
        let began = test.clock.now() + 60_000
        for _ in 0..<3 {
            test.disk.failCall(0, of: .write, code)
            await #expect(throws: StorageError.self) { try await fill(test, minutes: 1) }
        }
        let problem = try #require(test.store.problems.first { $0.kind == .logWrite })
        #expect(problem.since == began)
        #expect(problem.text.hasPrefix("Samples are refused, as the log cannot be written: "))
        #expect(test.metric("hearth_tsdb_healthy 0"))
        #expect(test.metric(#"hearth_tsdb_problem{kind="log_write"} 1"#))
        try await fill(test, minutes: 1)
        #expect(test.store.problems.isEmpty)
        #expect(test.metric("hearth_tsdb_healthy 1"))
        #expect(test.metric(#"hearth_tsdb_problem{kind="log_write"} 0"#))
    }

    @Test("A log that cannot be synced is a problem until a checkpoint has taken its place")
    func sync() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 3)
        test.disk.failSyncs(true)
        test.store.syncLog()
        #expect(kinds(test).sorted { $0.rawValue < $1.rawValue } == [.checkpoint, .logSync])
        test.disk.failSyncs(false)
        test.store.syncLog()
        #expect(kinds(test) == [.logSync], "what was logged is safe, and is asked for once more")
        test.store.syncLog()
        #expect(test.store.problems.isEmpty)
    }

    @Test("A disk that became read-only is told of from every side, and forgotten when it is not any more")
    func readOnly() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 200)
        test.disk.setReadOnly(true)
        await #expect(throws: StorageError.self) { try await fill(test, minutes: 1) }
        #expect(throws: (any Error).self) { try test.store.maintain() }
        #expect(throws: (any Error).self) { try test.store.checkpoint() }
        #expect(Set(kinds(test)).isSuperset(of: [.logWrite, .blockCut, .checkpoint]))
        #expect(try test.contents()[up]?.count == 200)
        test.disk.setReadOnly(false)
        try await fill(test, minutes: 1)
        try test.store.maintain()
        #expect(test.store.problems.isEmpty)
    }

    @Test("A checkpoint that failed is tried again with the next round of maintenance")
    func checkpoint() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 10)
        test.disk.failCall(0, of: .create)
        #expect(throws: (any Error).self) { try test.store.checkpoint() }
        #expect(kinds(test) == [.checkpoint])
        try test.store.maintain()
        #expect(test.store.problems.isEmpty)
        #expect(try test.disk.list(test.directory.path + "/wal").contains { $0.hasPrefix("checkpoint") })
    }

    @Test("Half a checkpoint is taken away at once")
    func halfCheckpoint() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 10)
        test.disk.failCall(2, of: .write, 28)
        #expect(throws: (any Error).self) { try test.store.checkpoint() }
        #expect(try !test.disk.list(test.directory.path + "/wal").contains { $0.hasSuffix(".tmp") })
    }

    @Test("Head chunks that cannot be written are a problem until they can")
    func headChunks() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 115)
        // The chunk is closed with one of the next samples; the log's own writes are to work.
        while !kinds(test).contains(.headChunks), test.clock.now() < TestStore.start + 3 * TestStore.hour {
            test.disk.failCall(1, of: .write)
            test.disk.failCall(0, of: .create)
            try await fill(test, minutes: 1)
            test.disk.failNoCall()
        }
        #expect(kinds(test) == [.headChunks])
        try await fill(test, minutes: 1)
        #expect(test.store.problems.isEmpty)
    }

    @Test("Of maintenance the first error is thrown, and those of later steps are logged")
    func laterSteps() async throws {
        let log = RecordingLog()
        let test = try TestStore { options in
            options.logger = log.logger
            options.retentionTime = 3 * TestStore.hour
        }
        try await fill(test, minutes: 190)
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        try await fill(test, minutes: 300)
        test.disk.setReadOnly(true)
        #expect(throws: (any Error).self) { try test.store.maintain() }
        #expect(log.lines.contains { $0.hasPrefix("maintenance failed in a further step error=") })
        #expect(kinds(test).contains(.maintenance))
        test.disk.setReadOnly(false)
        try test.store.maintain()
        #expect(test.store.problems.isEmpty)
    }

    @Test("A problem is logged when it begins and when it ends, not each time in between")
    func logged() throws {
        let log = RecordingLog()
        let test = try TestStore { $0.logger = log.logger }
        for _ in 0..<3 { test.store.health.raise(.merge, "It does not", StorageError.invalid(reason: "x")) }
        test.store.health.raise(.merge, "closing", StorageError.closed)
        #expect(log.lines.filter { $0.contains("It does not: x") } == ["It does not: x problem=merge"])
        test.store.health.clear(.merge)
        test.store.health.clear(.merge)
        #expect(log.lines.filter { $0.contains("works again") } == ["works again problem=merge"])
    }

    @Test("A data directory that is not on a disk of the machine is warned of at the start")
    func remote() throws {
        let log = RecordingLog()
        let test = try TestStore { $0.logger = log.logger }
        #expect(!log.lines.contains { $0.contains("file_system") })
        test.disk.setKind(.remote("nfs"))
        try test.reopen()
        let line = log.lines.first { $0.contains("file_system=nfs") }
        #expect(line?.hasPrefix("the data directory is not on a disk of this machine") ?? false)
    }
}
