import FileIO
import Foundation
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("A store that dies")
struct CrashTests {
    /// What is left at one moment: the disk, and the catalog, which is a file of the real one.
    private struct CrashPoint {
        let disk: SimulatedFileSystem
        let catalog: Data?
        let model: FaultModel
        let work: FaultModel.Work
    }

    private func catalogPath(_ test: TestStore) -> URL {
        URL(fileURLWithPath: test.directory.path + "/" + Catalog.fileName)
    }

    // `make soak` has thousands of seeds: a failure prints its own, and `HEARTH_SEED=<seed> HEARTH_TRACE=1` shows what
    // came before.

    /// Writes of a whole small history, each with what it leaves when the process ends before it or in its middle.
    private func crashPoints(_ history: FaultHistory, steps: Int) async throws -> [CrashPoint] {
        var points: [CrashPoint] = []
        let catalog = catalogPath(history.test)
        history.crashPoint = { history, disk in
            points.append(
                CrashPoint(
                    disk: disk.killProcess(), catalog: try? Data(contentsOf: catalog), model: history.model,
                    work: history.work))
        }
        history.observe(history.test.disk)
        for _ in 0..<steps { try await history.step() }
        history.crashPoint = nil
        history.test.disk.observeChanges(nil)
        return points
    }

    private func open(_ point: CrashPoint, _ history: FaultHistory, isPowerLost: Bool, _ place: String) throws {
        let disk = isPowerLost ? point.disk.losePower(using: &history.random) : point.disk.killProcess()
        history.test.store.close()
        try point.catalog?.write(to: catalogPath(history.test))
        do {
            try history.test.restart(on: disk)
            history.note(
                point.model.verdict(try history.test.faultContents(), after: point.work, isPowerLost: isPowerLost),
                place)
        } catch {
            history.note("\(error)", place)
        }
    }

    @Test("at any write of a small history has everything that it promised", arguments: Seeds.fixed(1).prefix(20))
    func everyWrite(seed: UInt64) async throws {
        let history = try FaultHistory(seed: seed)
        let points = try await crashPoints(history, steps: 60)
        #expect(points.count > 100)
        for (index, point) in points.enumerated() {
            try open(point, history, isPowerLost: false, "killed at write \(index)")
            try open(point, history, isPowerLost: true, "without power at write \(index)")
        }
    }

    @Test("in the middle of a merge goes on with it, or begins it anew, and has everything that it promised")
    func merging() async throws {
        var resumedCount = 0
        let seeds = Seeds.fixed(16)
        for seed in seeds {
            let history = try FaultHistory(seed: seed &+ 2_000_000)
            let points = try await crashPoints(history, steps: 70).filter { point in
                point.disk.paths.contains { $0.hasSuffix(".tmp/progress") }
            }
            for _ in 0..<min(12, points.count) {
                let point = history.random.pick(points)
                let isPowerLost = history.random.chance(50)
                try open(point, history, isPowerLost: isPowerLost, "in a merge")
                if try maintain(history, point.model.horizon) { resumedCount += 1 }
            }
        }
        if seeds.count > 10 { #expect(resumedCount > seeds.count) }
    }

    /// Deletes something or not, and merges: what is there stays.
    /// - Returns: whether a merge went on.
    private func maintain(_ history: FaultHistory, _ horizon: Timestamp) throws -> Bool {
        let store = history.test.store
        var expected = try history.test.faultContents()
        let labels = history.random.pick(expected.keys.sorted())
        if history.random.chance(40) {
            let range = TimeRange(min: .min, max: horizon + Int64(history.random.below(10)) * TestStore.hour)
            let matchers = [LabelMatcher.equal("i", labels["i"] ?? "")]
            try store.deleteSeries(matching: [matchers], in: range)
            expected = FaultModel.without(expected, [labels], range)
        }
        try store.maintain()
        let found = try history.test.faultContents()
        for (labels, samples) in expected {
            for (time, sample) in samples where time >= horizon && found[labels]?[time] != sample {
                history.note("lost: \(labels) \(sample)", "after a merge went on")
            }
        }
        for (labels, samples) in found {
            for (time, sample) in samples where expected[labels]?[time] != sample {
                history.note("invented: \(labels) \(sample)", "after a merge went on")
            }
        }
        let leftovers = try history.test.disk.list(store.options.directory + "/blocks").filter { $0.hasSuffix(".tmp") }
        if !leftovers.isEmpty { history.note("left: \(leftovers)", "after a merge went on") }
        return !history.test.metric("hearth_tsdb_compactions_resumed_total 0")
    }

    @Test("again and again, between steps, has everything that it promised", arguments: Seeds.fixed(100))
    func again(seed: UInt64) async throws {
        let history = try FaultHistory(seed: seed)
        for round in 0..<3 {
            for _ in 0..<(5 + history.random.below(25)) { try await history.step() }
            try history.crash(isPowerLost: history.random.chance(50), "round \(round)")
        }
        try history.test.store.maintain()
        history.check("at the end")
    }

    @Test("after the disk refused some calls has everything that it promised", arguments: Seeds.fixed(100))
    func refused(seed: UInt64) async throws {
        let history = try FaultHistory(seed: seed &+ 1_000_000)
        for round in 0..<2 {
            for _ in 0..<(5 + history.random.below(25)) { try await history.step(isFaulty: true) }
            history.check("round \(round)")
            try history.crash(isPowerLost: history.random.chance(50), "crash of round \(round)")
        }
        try history.test.store.maintain()
        history.check("at the end")
    }
}
