import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("The guard of the disk's free space")
struct DiskGuardTests {
    private let up: LabelSet = ["__name__": "up"]

    @Test("refuses samples below the floor, goes on answering, and takes them again without a restart")
    func recovers() async throws {
        let test = try TestStore { $0.freeDiskMin = 1 << 20 }
        try await test.append([(up, TestStore.start, 1)])
        test.disk.setSpace(free: (1 << 20) - 1, total: 1 << 30)
        test.store.diskGuard.check()
        await #expect(throws: StorageError.self) { try await test.append([(up, TestStore.start + 1, 2)]) }
        #expect(try test.contents()[up]?.count == 1)
        #expect(test.metric("hearth_tsdb_appends_refused_disk_total 1"))
        test.disk.setSpace(free: 1 << 20, total: 1 << 30)
        test.store.diskGuard.check()
        try await test.append([(up, TestStore.start + 1, 2)])
        #expect(try test.contents()[up]?.count == 2)
    }

    @Test("without a floor refuses nothing")
    func none() async throws {
        let test = try TestStore()
        test.disk.setSpace(free: 0, total: 1 << 30)
        test.store.diskGuard.check()
        try await test.append([(up, TestStore.start, 1)])
    }

    @Test("A percentage of the disk limits the store's size, and new settings hold at once")
    func percentage() throws {
        let test = try TestStore { $0.settings.retentionPercentage = 10 }
        test.disk.setSpace(free: 1 << 30, total: 10 << 30)
        #expect(test.store.retention.size == 1 << 30)
        var settings = StorageSettings()
        settings.retentionSize = 5 << 20
        settings.retentionPercentage = 50
        settings.retentionTime = TestStore.hour
        try test.store.apply(settings)
        #expect(test.store.retention == RetentionPolicy(time: TestStore.hour, size: 5 << 20))
    }
}
