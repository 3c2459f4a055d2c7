import FileIO
import Foundation
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing
import WAL

@testable import TSDB

/// A random life of a store: what is appended, deleted, cut, merged, synced and reopened follows from the seed, as well
/// as what the disk refuses meanwhile.
final class FaultHistory {
    private static let outOfOrderWindow = TestStore.hour
    private static let retention = 10 * TestStore.hour

    let seed: UInt64
    let test: TestStore
    var random: SeededRandom
    private(set) var model = FaultModel()
    private(set) var work = FaultModel.Work.nothing
    private var pool: [LabelSet] = []
    private var madeCount = 0
    private var newest: [LabelSet: Timestamp] = [:]
    /// Samples that come later at such times would be hidden.
    private var deletedEnd: Timestamp = .min
    /// A sync of the log failed, and no checkpoint has been made since.
    private var isLogDoubtful = false
    /// Before every change of the disk.
    var crashPoint: ((FaultHistory, SimulatedFileSystem) -> Void)?

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        test = try TestStore { options in
            options.settings.outOfOrderWindow = FaultHistory.outOfOrderWindow
            options.retentionTime = FaultHistory.retention
            options.blockRangeMax = 3 * options.blockRange
            // A merge makes a mark after each series.
            options.mergeMarkBytes = 1
            // Of every other history the log has many short segments.
            if seed % 2 == 0 {
                options.log.samplesPerSeriesMax = 3
                options.log.segmentBytesMin = 300
            }
            if seed % 3 == 0 { options.diskReserve = 50_000 }
        }
        for _ in 0..<5 { pool.append(newSeries()) }
    }

    private func newSeries() -> LabelSet {
        madeCount += 1
        return LabelSet([
            Label("__name__", madeCount % 4 == 0 ? "histogram" : "float"), Label("i", "\(madeCount)"),
        ])
    }

    func note(_ verdict: String?, _ place: String) {
        if let verdict { Issue.record("seed \(seed), \(place): \(verdict)") }
    }

    // MARK: - Steps

    func trace(_ text: @autoclosure () -> String) {
        if FaultHistory.isTraced { print("seed \(seed): \(text())") }
    }
    private static let isTraced = ProcessInfo.processInfo.environment["HEARTH_TRACE"] != nil

    /// One random step. - Parameter isFaulty: the disk may refuse a call.
    func step(isFaulty: Bool = false) async throws {
        if isFaulty, random.chance(40) {
            test.disk.failCall(random.below(random.pick([2, 10, 60])), random.pick([5, 28]))
        }
        let choice = random.below(100)
        trace("step \(choice)")
        do {
            switch choice {
            case 0..<60: try await append()
            case 60..<66: try delete()
            case 66..<78: try perform { try $0.maintain() }
            case 78..<83:
                try perform { try $0.checkpoint() }
                isLogDoubtful = false
                model.sync()
            case 83..<93: try sync()
            case 93: try perform { _ = try $0.cleanTombstones() }
            case 94..<97: try reopen()
            default: check("a query")
            }
        } catch {
            if !isFaulty { throw error }
            // What failed may be done in part, and all else is as it was.
            trace("failed: \(error)")
            test.disk.failNoCall()
            let found = try test.faultContents()
            note(model.verdict(found, after: work, isPowerLost: false), "after \(error)")
            model.adopt(found, isSafe: false)
            if case .delete(let series, let range) = work { model.deleteInPart(series, range) }
        }
        test.disk.failNoCall()
        // The reserve is taken again.
        test.store.diskGuard.check()
        work = .nothing
    }

    func append() async throws {
        test.clock.advance(by: Int64.random(in: 1000...1_200_000, using: &random))
        let now = test.clock.now()
        if random.chance(15) { pool[random.below(pool.count)] = newSeries() }
        var samples: [(LabelSet, MixedSample)] = []
        var batch = SampleBatch()
        for labels in random.some(pool, percent: 70) {
            var time = now
            let isLate = random.chance(15)
            if isLate { time = now - Int64.random(in: 1...FaultHistory.outOfOrderWindow - 1, using: &random) }
            if isLate, time <= deletedEnd || model.possible[labels]?[time] != nil { continue }
            if labels["__name__"] == "histogram" {
                let histogram = Histograms.simple(random.below(50))
                batch.append(labels, time, histogram)
                samples.append((labels, MixedSample(time, histogram)))
            } else {
                let value = random.chance(5) ? StaleMarker.value : Double(random.below(1000))
                batch.append(labels, time, value)
                samples.append((labels, MixedSample(time, value)))
            }
        }
        trace("append at \(now): \(samples)")
        work = .append(samples)
        let result = try await test.store.append(batch)
        if !result.rejected.isEmpty { note("\(result.rejected.count) samples refused", "append at \(now)") }
        model.append(samples)
        model.horizon = now - FaultHistory.retention
    }

    private func delete() throws {
        let labels = random.pick(pool)
        let name = labels["__name__"] ?? ""
        let isOne = random.chance(70)
        let series = isOne ? [labels] : Set(model.possible.keys.filter { $0["__name__"] == name })
        let now = test.clock.now()
        let start = random.chance(20) ? Timestamp.min : now - Int64.random(in: 0...(8 * TestStore.hour), using: &random)
        let range = TimeRange(min: start, max: now)
        deletedEnd = now
        work = .delete(series, range)
        var matchers: [LabelMatcher] = [.equal("__name__", name)]
        if isOne { matchers.append(.equal("i", labels["i"] ?? "")) }
        try test.store.deleteSeries(matching: [matchers], in: range)
        trace("deleted \(series) \(range)")
        model.delete(series, range)
    }

    private func perform(_ body: (TSDB) throws -> Void) throws { try body(test.store) }

    private func sync() throws {
        do {
            try test.store.log.sync()
            // A process that was killed then has told nobody.
            if isLogDoubtful { try test.store.checkpoint() }
        } catch {
            // As the thread does that syncs.
            isLogDoubtful = true
            try test.store.checkpoint()
        }
        isLogDoubtful = false
        model.sync()
    }

    private func reopen() throws {
        do {
            try restart(on: test.disk)
        } catch {
            trace("failed: \(error)")
            test.disk.failNoCall()
            try restart(on: test.disk)
        }
        // Closing has no error to tell.
        try sync()
        check("a reopening")
    }

    func check(_ place: String) {
        do {
            // One that the disk refuses to read for may fail: the next one is answered.
            let found = (try? test.faultContents()) ?? [:]
            test.disk.failNoCall()
            note(
                model.verdict(found.isEmpty ? try test.faultContents() : found, after: work, isPowerLost: false), place)
        } catch {
            note("\(error)", place)
        }
    }

    // MARK: - Ends

    private func restart(on disk: SimulatedFileSystem) throws {
        observe(disk)
        try test.restart(on: disk)
    }

    /// Kills the process, or the machine, and looks at what is left.
    func crash(isPowerLost: Bool, _ place: String) throws {
        let after = isPowerLost ? test.disk.losePower(using: &random) : test.disk.killProcess()
        trace("crash, power lost: \(isPowerLost)")
        try restart(on: after)
        try recover(isPowerLost: isPowerLost, place)
    }

    /// Looks at what a restart has found.
    func recover(isPowerLost: Bool, _ place: String) throws {
        let found = try test.faultContents()
        note(model.verdict(found, after: work, isPowerLost: isPowerLost), place)
        if case .delete(let series, let range) = work { model.delete(series, range) }
        model.adopt(found, isSafe: isPowerLost)
        work = .nothing
    }

    // MARK: - Crash points

    func observe(_ disk: SimulatedFileSystem) {
        guard crashPoint != nil else { return }
        let history = Weak(self)
        disk.observeChanges { disk in history.value.map { $0.crashPoint?($0, disk) } }
    }

    /// The test's own task waits while another thread looks.
    private struct Weak: @unchecked Sendable {
        weak var value: FaultHistory?
        init(_ value: FaultHistory) { self.value = value }
    }
}
