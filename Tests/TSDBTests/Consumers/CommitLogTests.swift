import FileIO
import GRDB
import HeadMemory
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("The store's log, for those who pass it on")
struct CommitLogTests {
    /// A consumer that collects what it gets.
    private final class Reading {
        let tail: any CommitTail
        private(set) var samples: [LabelSet: [Sample]] = [:]
        private(set) var last: UInt64 = 0
        private var table: [UInt32: LabelSet] = [:]
        private var record = CommittedRecord()

        init(_ test: TestStore, _ consumer: String = "a") throws {
            tail = try test.store.openTail(consumer: consumer)
            try tail.forEachSeries { table[$0] = $1 }
        }

        func read() throws {
            while try tail.next(into: &record, timeout: .zero) {
                #expect(record.number > last)
                last = record.number
                for series in record.newSeries { table[series.number] = series.labels }
                for (row, number) in record.series.enumerated() {
                    let labels = try #require(table[number])
                    samples[labels, default: []].append(Sample(record.timestamps[row], record.values[row]))
                }
            }
        }

        func readAndRelease() throws {
            try read()
            tail.release(through: last)
        }
    }

    private func store(_ adjust: @escaping (inout TSDBOptions) -> Void = { _ in }) throws -> TestStore {
        try TestStore { options in
            options.log.samplesPerSeriesMax = 8
            options.log.segmentBytesMin = 0
            adjust(&options)
        }
    }

    /// A sample a minute of some series, of which one ends and another begins every half hour.
    private func fill(_ test: TestStore, minutes: Int) async throws {
        for _ in 0..<minutes {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            try await test.append(
                (0..<4).map { (["__name__": "m", "i": "\($0)"], now, Double(now / 1000 % 977) + Double($0)) }
                    + [(["__name__": "churn", "n": "\(now / 1_800_000)"], now, 1)])
        }
    }

    /// A consumer that has opened the log and read nothing of what came since: files are held for it.
    private func behind() async throws -> (TestStore, Reading) {
        let test = try store()
        let reading = try Reading(test)
        try await fill(test, minutes: 200)
        try test.store.maintain()
        return (test, reading)
    }

    private func logFiles(_ test: TestStore) throws -> [String] { try test.disk.list(test.directory.path + "/wal") }

    @Test("All samples come, over block cuts and checkpoints, with slots that change hands")
    func complete() async throws {
        let test = try store()
        let reading = try Reading(test)
        for round in 0..<30 {
            try await fill(test, minutes: 20)
            if round % 3 == 0 { try reading.readAndRelease() }
            try test.store.maintain()
        }
        try reading.readAndRelease()
        #expect(try reading.samples == test.contents())
        #expect(reading.samples.count > 20)
        #expect(reading.tail.lostRecordCount == 0)
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
    }

    @Test("A position is kept when the store closes, and what was not released comes again")
    func closing() async throws {
        let test = try store()
        let before = try Reading(test)
        try await fill(test, minutes: 30)
        try before.readAndRelease()
        try await fill(test, minutes: 200)
        try before.read()
        try test.store.maintain()
        #expect(test.store.log.heldBytes > 0)
        try test.reopen()
        #expect(test.metric("hearth_tsdb_log_held_bytes \(test.store.log.heldBytes)"))
        #expect(test.store.log.heldBytes > 0)
        let released = test.clock.now() - 200 * 60_000
        let after = try Reading(test)
        try after.read()
        let wanted = try test.contents().compactMapValues { samples in
            let late = samples.filter { $0.timestamp > released }
            return late.isEmpty ? nil : late
        }
        #expect(after.samples == wanted)
        #expect(after.tail.lostRecordCount == 0)
    }

    @Test("A backlog survives a kill, with the position that was saved last")
    func kill() async throws {
        let test = try store()
        let before = try Reading(test)
        try await fill(test, minutes: 10)
        try before.readAndRelease()
        test.store.savePositions()
        let saved = test.clock.now()
        try await fill(test, minutes: 200)
        try test.store.maintain()
        let state = try StateStore(fileSystem: test.disk, directory: test.directory.path)
        #expect(try state.logPositions() == ["a": before.last])
        try state.close()
        try test.kill()
        let after = try Reading(test)
        try after.read()
        #expect(after.samples.values.flatMap { $0 }.map(\.timestamp).min() == saved + 60_000)
        #expect(after.tail.lostRecordCount == 0)
    }

    /// A random history with restarts. - Returns: what consumers got in all their lives, and how many records they lost.
    private func live(
        _ test: TestStore, _ random: inout SeededRandom, restart: (inout SeededRandom) throws -> Void
    ) async throws -> (received: [LabelSet: Set<Sample>], lost: UInt64) {
        var received: [LabelSet: Set<Sample>] = [:]
        var lost: UInt64 = 0
        var reading = try Reading(test)
        func endLife() {
            for (labels, samples) in reading.samples { received[labels, default: []].formUnion(samples) }
            lost += reading.tail.lostRecordCount
            reading.tail.close()
        }
        for _ in 0..<50 {
            try await fill(test, minutes: 1 + random.below(25))
            switch random.below(12) {
            case 0: try test.store.maintain()
            case 1: try test.store.checkpoint()
            case 2: test.store.savePositions()
            case 3: test.store.syncLog()
            case 4, 5: try reading.readAndRelease()
            case 6: try reading.read()
            case 7...9:
                endLife()
                try restart(&random)
                reading = try Reading(test)
            default: break
            }
        }
        try reading.read()
        endLife()
        return (received, lost)
    }

    private func patient() throws -> TestStore { try store { $0.log.heldTimeMax = 1000 * TestStore.hour } }

    @Test(
        "Over restarts and kills a consumer gets all that the store has, and nothing else", arguments: Seeds.fixed(30))
    func kills(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let test = try patient()
        let (received, lost) = try await live(test, &random) { random in
            if random.chance(50) { try test.kill() } else { try test.reopen() }
        }
        #expect(lost == 0)
        #expect(try received == test.contents().mapValues { Set($0) })
    }

    @Test("Over power cuts a consumer gets no sample as another series'", arguments: Seeds.fixed(30))
    func powerCuts(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let test = try patient()
        let (received, _) = try await live(test, &random) { random in
            if random.chance(50) { try test.kill() } else { try test.losePower(using: &random) }
        }
        for (labels, samples) in received {
            for sample in samples {
                let isChurn = labels["__name__"] == "churn"
                let series = Double(labels["i"] ?? "") ?? 0
                let value = isChurn ? 1 : Double(sample.timestamp / 1000 % 977) + series
                #expect(Double(bitPattern: sample.bits) == value, "\(labels)")
                if isChurn { #expect(labels["n"] == "\(sample.timestamp / 1_800_000)") }
            }
        }
        #expect(received.count > 4)
    }

    @Test("The position is saved by itself within seconds")
    func saving() async throws {
        let test = try store()
        let reading = try Reading(test)
        try await fill(test, minutes: 3)
        try reading.readAndRelease()
        #expect(
            await eventually {
                test.store.savedPositions.withLock { $0 == ["a": reading.last] }
            })
    }

    @Test("A consumer that is not wanted any more keeps nothing, also after a restart")
    func forgotten() async throws {
        let (test, _) = try await behind()
        #expect(test.store.log.heldBytes > 0)
        test.store.keepTails(ofConsumers: ["b"])
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
        try test.reopen()
        #expect(test.store.log.positions.isEmpty)
    }

    @Test("What is held is given up after two hours")
    func time() async throws {
        let (test, reading) = try await behind()
        let held = test.store.log.heldBytes
        #expect(held > 0)
        test.clock.advance(by: 2 * TestStore.hour + 1)
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
        try reading.read()
        #expect(reading.tail.lostRecordCount > 0)
    }

    @Test("What is held is given up when the disk is full")
    func full() async throws {
        let test = try store { $0.freeDiskMin = 1000 }
        let reading = try Reading(test)
        try await fill(test, minutes: 200)
        try test.store.maintain()
        #expect(test.store.log.heldBytes > 0)
        test.disk.setSpace(free: 999, total: 1 << 40)
        test.store.diskGuard.check()
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
        #expect(try logFiles(test).count == 2, "a checkpoint and a segment")
        test.disk.setSpace(free: 1 << 39, total: 1 << 40)
        test.store.diskGuard.check()
        try await fill(test, minutes: 5)
        try reading.read()
        #expect(reading.tail.lostRecordCount > 0)
        #expect(reading.last > 0)
    }

    @Test("A write that finds no room has it given up as well")
    func noRoom() async throws {
        let (test, _) = try await behind()
        #expect(test.store.log.heldBytes > 0)
        test.disk.failCall(0, of: .write, 28)
        await #expect(throws: StorageError.self) { try await fill(test, minutes: 1) }
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
    }

    @Test("Held files do not count against the size that the retention allows: no block goes for them")
    func retention() async throws {
        let (test, reading) = try await behind()
        let (bytes, held) = (test.store.retentionInput().otherBytes, test.store.log.heldBytes)
        #expect(held > 0)
        // A tenth of it is more than what is held.
        var settings = test.store.settings.withLock { $0 }
        let blocks = test.store.blocks.all
        settings.retentionSize = Int64(blocks.reduce(bytes) { $0 + $1.record.bytes })
        try test.store.apply(settings)
        try test.store.applyRetention()
        #expect(test.store.blocks.all.count == blocks.count)
        // From outside the files of the head count as they are.
        let chunks = DataDirectoryLayout(fileSystem: test.disk, directory: test.directory.path).chunks
        let chunkBytes = try test.disk.list(chunks).reduce(0) { try $0 + test.disk.size(chunks + "/" + $1) }
        for (less, rows) in [(0, 0), (1, 1)] {
            settings.retentionSize = Int64(
                blocks.reduce(bytes - test.store.head.chunkFileBytes + chunkBytes - less) { $0 + $1.record.bytes })
            let report = try RetentionInspection.report(
                fileSystem: test.disk, directory: test.directory.path, settings: settings)
            #expect(report.rows.count == rows)
        }
        try reading.readAndRelease()
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
        #expect(test.store.retentionInput().otherBytes == bytes)
    }

    @Test("Held files take a tenth of the size that the retention allows at most")
    func share() async throws {
        let (test, reading) = try await behind()
        let held = test.store.log.heldBytes
        for (size, isKept) in [(held * 10, true), (held * 10 - 10, false)] {
            var settings = test.store.settings.withLock { $0 }
            settings.retentionSize = Int64(size)
            try test.store.apply(settings)
            try test.store.trimLog()
            #expect((test.store.log.heldBytes == held) == isKept)
            #expect(test.store.log.heldBytes <= size / 10)
        }
        try reading.read()
    }

    @Test("A position is saved before a checkpoint removes what it has passed: after a kill nothing is lost")
    func savedBeforeRemoval() async throws {
        let test = try store()
        let before = try Reading(test)
        test.store.savePositions()
        try await fill(test, minutes: 200)
        try before.readAndRelease()
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
        #expect(try test.store.state.logPositions() == ["a": before.last])
        try test.kill()
        let after = try Reading(test)
        try after.read()
        #expect(after.tail.lostRecordCount == 0)
    }

    @Test("A consumer that was forgotten stays so after a kill, though no tail was opened since the start")
    func forgottenForGood() async throws {
        let test = try store()
        _ = try Reading(test)
        try await fill(test, minutes: 5)
        try test.reopen()
        #expect(test.store.log.positions.keys.sorted() == ["a"])
        test.store.keepTails(ofConsumers: [])
        #expect(await eventually { (try? test.store.state.logPositions()) == [:] })
        test.store.keepTails(ofConsumers: ["b"])
        try test.kill()
        #expect(test.store.log.positions.isEmpty)
    }

    private func rename(_ test: TestStore, _ from: String, _ to: String) async throws {
        try await test.store.state.write { try $0.execute(sql: "ALTER TABLE \(from) RENAME TO \(to)") }
    }

    @Test(
        "Positions that cannot be read at the start give nothing up, are not overwritten, and hold when they can be read"
    )
    func unreadablePositions() async throws {
        let test = try store()
        let before = try Reading(test)
        try await fill(test, minutes: 10)
        try before.readAndRelease()
        try await fill(test, minutes: 200)
        try test.store.maintain()
        let held = test.store.log.heldBytes
        #expect(held > 0)
        test.store.savePositions()
        try await rename(test, "log_position", "hidden")
        try test.reopen()
        try test.store.maintain()
        #expect(test.store.log.heldBytes == held)
        #expect(test.store.problems.map(\.kind) == [.stateDatabase])
        try await rename(test, "hidden", "log_position")
        #expect(try test.store.state.logPositions() == ["a": before.last])
        let after = try Reading(test)
        try after.read()
        #expect(test.store.problems.isEmpty)
        let released = test.clock.now() - 200 * 60_000
        #expect(after.samples.values.flatMap { $0 }.map(\.timestamp).min() == released + 60_000)
        #expect(after.tail.lostRecordCount == 0)
    }

    @Test("Positions that cannot be read at all have what is held sent again rather than lost")
    func lostPositions() async throws {
        let test = try store()
        let before = try Reading(test)
        try await fill(test, minutes: 10)
        try before.readAndRelease()
        try await fill(test, minutes: 200)
        try test.store.maintain()
        try await test.store.state.write { try $0.execute(sql: "DROP TABLE log_position") }
        try test.reopen()
        let after = try Reading(test)
        try after.readAndRelease()
        #expect(try after.samples == test.contents())
        #expect(after.tail.lostRecordCount == 0)
        test.store.keepTails(ofConsumers: ["a"])
        try test.store.maintain()
        #expect(test.store.log.heldBytes == 0)
    }

    @Test("A restart with held files replays no more than without")
    func replay() async throws {
        let (test, reading) = try await behind()
        let contents = try test.contents()
        reading.tail.close()
        try test.reopen()
        #expect(test.store.log.heldBytes > 0)
        #expect(test.store.log.tailSampleCount == 0)
        #expect(try test.contents() == contents)
    }

    @Test("A state database that cannot be used stops nothing: it is told, and consumers go on")
    func noStateDatabase() async throws {
        let test = try store()
        let reading = try Reading(test)
        try await test.store.state.write { try $0.execute(sql: "DROP TABLE log_position") }
        try await fill(test, minutes: 5)
        try reading.readAndRelease()
        test.store.savePositions()
        #expect(test.store.problems.map(\.kind) == [.stateDatabase])
        try await fill(test, minutes: 5)
        try reading.readAndRelease()
        #expect(try reading.samples == test.contents())
        try test.reopen()
        #expect(test.store.log.positions.isEmpty)
    }

    @Test("A position behind the end of a log that was wiped is its end, for good")
    func wiped() async throws {
        let test = try store()
        let reading = try Reading(test)
        try await fill(test, minutes: 20)
        try reading.readAndRelease()
        test.store.close()
        for name in try logFiles(test) { try test.disk.remove(test.directory.path + "/wal/" + name) }
        try test.reopen()
        #expect(test.store.log.positions == ["a": 0])
        #expect(try test.store.state.logPositions() == ["a": 0])
        let after = try Reading(test)
        try await fill(test, minutes: 2)
        try after.read()
        #expect(after.samples.values.flatMap { $0 }.count >= 10)
    }

    @Test("Closing the store ends a wait, and no tail opens after it")
    func closed() async throws {
        let test = try store()
        let reading = try Reading(test)
        test.store.close()
        #expect(throws: StorageError.closed) { try reading.read() }
        #expect(throws: StorageError.closed) { try test.store.openTail(consumer: "b") }
    }

    @Test("A snapshot has none of it, a verification looks at it, a repair leaves it alone")
    func tools() async throws {
        let (test, reading) = try await behind()
        let name = try test.store.snapshot(skipHead: false)
        let copied = try test.disk.list(test.directory.path + "/snapshots/" + name + "/wal")
        #expect(copied.count == 1)
        let (directory, disk) = (test.directory.path, test.disk)
        #expect(try StoreVerification(fileSystem: disk, directory: directory).damages.isEmpty)
        let held = directory + "/wal/" + (try #require(logFiles(test).first))
        var bytes = try #require(disk.bytes(held))
        bytes[bytes.count / 2] ^= 1
        try disk.overwrite(held, bytes)
        #expect(try StoreVerification(fileSystem: disk, directory: directory).damages.map(\.file) == [held])
        reading.tail.close()
        test.store.close()
        #expect(try StoreRepair.run(fileSystem: disk, directory: directory).damages.isEmpty)
        #expect(disk.bytes(held) == bytes)
        try test.reopen()
        let after = try Reading(test)
        try after.read()
        #expect(after.tail.lostRecordCount > 0)
        #expect(after.last + after.tail.lostRecordCount == after.tail.newest)
    }
}
