import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("A damaged place in the middle of the log")
struct LogDamageTests {
    private static let series: [LabelSet] = (0..<3).map { ["__name__": "m", "i": "\($0)"] }

    /// A store whose log has several short segments, and no checkpoint; the newest time of each segment.
    private func filled() async throws -> (test: TestStore, ends: [UInt64: Timestamp]) {
        let test = try TestStore { options in
            options.log.samplesPerSeriesMax = 4
            options.log.segmentBytesMin = 0
        }
        var ends: [UInt64: Timestamp] = [:]
        for round in 0..<22 {
            test.clock.advance(by: 15_000)
            let now = test.clock.now()
            try await test.append(Self.series.map { ($0, now, Double(round) * 1.1) })
            ends[test.store.log.currentSegment] = now
        }
        return (test, ends)
    }

    @Test("costs that segment, wherever in it it is: what the later ones hold is served, and the thin span is told")
    func flips() async throws {
        let (test, ends) = try await filled()
        let expected = try test.contents()
        let before = test.disk.killProcess()
        let last = test.store.log.currentSegment
        #expect(last >= 4)
        for segment in 0..<last {
            let path = test.directory.path + "/wal/0000000\(segment)"
            let bytes = try #require(before.bytes(path))
            // The log's own tests change every byte; here each third has to do, as each is a start of the store.
            for index in stride(from: Int(segment) % 3, to: bytes.count, by: 3) where !(36..<40).contains(index) {
                let disk = before.killProcess()
                var changed = bytes
                changed[index] ^= UInt8(1 << (index % 8))
                try disk.overwrite(path, changed)
                try test.restart(on: disk)
                let found = try test.contents()
                let start = segment > 0 ? try #require(ends[segment - 1]) : .min
                // The series of the first segment are said again behind the first batch of the second.
                let end = try #require(ends[segment]) + (segment == 0 ? 15_000 : 0)
                for labels in Self.series {
                    let lost = Set(expected[labels] ?? []).subtracting(found[labels] ?? [])
                    #expect(Set(found[labels] ?? []).isSubset(of: expected[labels] ?? []))
                    if lost.contains(where: { $0.timestamp <= start || $0.timestamp > end }) {
                        Issue.record("byte \(index) of segment \(segment): \(lost)")
                    }
                }
                let damage = try #require(test.store.damages.first)
                #expect(damage.file == path)
                #expect(damage.before.map { $0 > start && $0 <= end + 15_000 } ?? false)
                #expect(test.metric("prometheus_tsdb_wal_corruptions_total \(test.store.damages.count)"))
            }
        }
    }

    @Test("that held the labels of a series costs the samples until they are said again; these are counted")
    func lostDefinition() async throws {
        let (test, _) = try await filled()
        let disk = test.disk.killProcess()
        let path = test.directory.path + "/wal/00000000"
        var bytes = try #require(disk.bytes(path))
        bytes[70] ^= 1
        try disk.overwrite(path, bytes)
        try test.restart(on: disk)
        #expect(
            try test.contents().mapValues(\.count) == Dictionary(uniqueKeysWithValues: Self.series.map { ($0, 17) }))
        #expect(test.metric(#"prometheus_tsdb_wal_replay_unknown_refs_total{type="samples"} 3"#))
        #expect(try test.disk.list(test.directory.path + "/wal").contains("00000000.torn"))
        // And it goes on.
        test.clock.advance(by: 15_000)
        try await test.append(Self.series.map { ($0, test.clock.now(), 1) })
        let after = try test.contents()
        try test.kill()
        #expect(try test.contents() == after)
    }

    @Test("of an earlier process costs what later processes logged no more than that of their own")
    func earlierProcess() async throws {
        let (test, _) = try await filled()
        try test.kill()
        for _ in 0..<12 {
            test.clock.advance(by: 15_000)
            try await test.append(Self.series.map { ($0, test.clock.now(), 1) })
        }
        let disk = test.disk.killProcess()
        for segment in 0..<5 {
            let path = test.directory.path + "/wal/0000000\(segment)"
            var bytes = try #require(disk.bytes(path))
            bytes[70] ^= 1
            try disk.overwrite(path, bytes)
        }
        try test.restart(on: disk)
        // The first segment of the new process does not say who the series are, its second one does.
        #expect(try test.contents().mapValues(\.count).values.allSatisfy { $0 >= 7 })
        #expect(try test.contents().count == 3)
    }

    @Test("is repaired offline in the same way")
    func repair() async throws {
        let (test, _) = try await filled()
        test.store.close()
        let path = test.directory.path + "/wal/00000002"
        var bytes = try #require(test.disk.bytes(path))
        bytes[bytes.count / 2] ^= 1
        test.disk.put(path, bytes)
        let report = try StoreRepair.run(fileSystem: test.disk, directory: test.directory.path)
        #expect(report.damages.map(\.file) == [path])
        #expect(report.damages.first.map { $0.after != nil && $0.before != nil } ?? false)
        try test.reopen()
        #expect(try test.contents().values.allSatisfy { $0.count >= 18 })
    }

    @Test("has no part in a restart without damage: what is said again changes nothing")
    func sound() async throws {
        let (test, _) = try await filled()
        let before = try test.contents()
        try test.kill()
        #expect(try test.contents() == before)
        #expect(test.store.headStatistics().seriesCount == 3)
        #expect(test.store.damages.isEmpty)
    }
}
