import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import TestSupport
import Testing

@testable import WAL

@Suite("What of the log is kept for consumers")
struct WALHoldTests {
    private static let hour: Int64 = 3_600_000

    @Test("Without consumers nothing is: a checkpoint takes the place of all before it")
    func none() throws {
        let fixture = try TailFixture(seed: 1)
        try fixture.append(60)
        try fixture.makeCheckpoint()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        #expect(fixture.checkpoints == [fixture.checkpoint])
        #expect(fixture.segments == [fixture.log.currentSegment])
        #expect(fixture.log.heldBytes == 0 && !fixture.log.hasHeldFiles)
    }

    @Test(
        "A consumer that is behind keeps the checkpoint that it has passed and all segments behind it, until it moves on"
    )
    func behind() throws {
        let fixture = try TailFixture(seed: 2)
        try fixture.append(30)
        try fixture.makeCheckpoint()
        let base = fixture.checkpoint
        let reading = try fixture.open()
        try fixture.append(60)
        let first = try #require(fixture.segments.first)
        try fixture.makeCheckpoint()
        #expect(fixture.checkpoints == [base, fixture.checkpoint])
        #expect(fixture.segments.first == first)
        #expect(fixture.log.heldBytes > 0)
        let onDisk = try fixture.names.reduce(0) { total, name in
            let isNewest = LogFormat.checkpointLSN(name) == fixture.checkpoint
            return try total + (isNewest ? 0 : fixture.disk.size(FilePath.join(WALFixture.directory, name)))
        }
        #expect(fixture.log.size == onDisk, "held files count")
        #expect(fixture.log.tailSampleCount == 0, "a replay does not read them")
        try reading.read()
        reading.releaseAll()
        try fixture.trim()
        #expect(fixture.checkpoints == [fixture.checkpoint])
        #expect(fixture.segments == [fixture.log.currentSegment])
        #expect(fixture.log.heldBytes == 0)
    }

    @Test("A segment is kept for two hours after its end, then the consumer has lost what it did not read")
    func time() throws {
        let fixture = try TailFixture(seed: 3)
        let reading = try fixture.open()
        try fixture.append(40)
        try fixture.makeCheckpoint()
        let lost = fixture.checkpoint
        fixture.clock.advance(by: WALHoldTests.hour)
        try fixture.append(40)
        try fixture.makeCheckpoint()
        fixture.clock.advance(by: WALHoldTests.hour)
        try fixture.trim()
        #expect(fixture.log.positions == ["a": 0])
        #expect(fixture.checkpoints.count == 2, "two hours to the millisecond")
        fixture.clock.advance(by: 1)
        try fixture.trim()
        #expect(fixture.checkpoints == [lost, fixture.checkpoint])
        try reading.read()
        #expect(reading.tail.lostRecordCount == lost)
        reading.expectAll(lost + 1...fixture.newest)
        reading.tail.close()
        let again = try fixture.open()
        try again.read()
        #expect(again.tail.lostRecordCount == 0, "what is lost was told once")
        again.expectAll(lost + 1...fixture.newest)
        fixture.clock.advance(by: 2 * WALHoldTests.hour)
        try fixture.trim()
        #expect(fixture.log.heldBytes == 0)
    }

    @Test("A consumer a little behind keeps what it needs, however long the last checkpoint was ago")
    func oldBase() throws {
        let fixture = try TailFixture(seed: 4)
        let reading = try fixture.open()
        try fixture.append(60)
        fixture.clock.advance(by: 3 * WALHoldTests.hour)
        try fixture.append(60)
        try reading.read()
        reading.releaseAll()
        let released = fixture.newest
        try fixture.append(60)
        try fixture.makeCheckpoint()
        #expect(fixture.log.heldBytes > 0)
        reading.tail.close()
        try fixture.restart()
        let again = try fixture.open()
        try again.read()
        again.expectAll(released + 1...fixture.newest)
        #expect(again.tail.lostRecordCount == 0)
    }

    @Test("It takes no more room than it may: the oldest part goes")
    func size() throws {
        let fixture = try TailFixture(seed: 5) { $0.heldBytesMax = 24_000 }
        let reading = try fixture.open()
        for _ in 0..<12 {
            try fixture.append(60)
            fixture.clock.advance(by: WALHoldTests.hour / 2)
            fixture.options.heldTimeMax = .max
            try fixture.makeCheckpoint()
            #expect(fixture.log.heldBytes <= 24_000)
        }
        try reading.read()
        let lost = reading.tail.lostRecordCount
        #expect(lost > 0)
        reading.expectAll(lost + 1...fixture.newest)
    }

    @Test(
        "Where the base is too much a consumer that reads has what it needs all the same; one that begins has lost it")
    func withoutBase() throws {
        let fixture = try TailFixture(seed: 5) { $0.heldBytesMax = 8000 }
        let reading = try fixture.open()
        for _ in 0..<400 where fixture.log.size < 20_000 { try fixture.append(10) }
        try reading.read()
        reading.releaseAll()
        let released = try #require(fixture.log.positions["a"])
        for _ in 0..<400 where fixture.log.size < 24_000 { try fixture.append(10) }
        try fixture.makeCheckpoint()
        #expect(fixture.log.heldBytes > 0 && fixture.log.heldBytes <= 8000)
        #expect(fixture.checkpoints == [fixture.checkpoint])
        try fixture.append(20)
        try fixture.trim()
        #expect(fixture.log.heldBytes > 0)
        let lost = fixture.checkpoint
        try fixture.restart()
        let again = try fixture.open()
        try again.read()
        #expect(again.tail.lostRecordCount == lost - released)
        again.expectAll(lost + 1...fixture.newest)
    }

    @Test("A consumer that reads without its base gets all, and keeps nothing when it has passed it or closes")
    func readsWithoutBase() throws {
        for closes in [false, true] {
            let fixture = try TailFixture(seed: 5) { $0.heldBytesMax = 8000 }
            let reading = try fixture.open()
            for _ in 0..<400 where fixture.log.size < 20_000 { try fixture.append(10) }
            try reading.read()
            reading.releaseAll()
            for _ in 0..<400 where fixture.log.size < 24_000 { try fixture.append(10) }
            try fixture.makeCheckpoint()
            #expect(fixture.log.heldBytes > 0)
            if closes {
                reading.tail.close()
            } else {
                try reading.read()
                reading.expectAll(1...fixture.newest)
                #expect(reading.tail.lostRecordCount == 0)
                reading.releaseAll()
            }
            try fixture.trim()
            #expect(fixture.log.heldBytes == 0)
        }
    }

    @Test("What is given up is told, with the reason: time, size, a full disk; what consumers have passed is not")
    func told() throws {
        let fixture = try TailFixture(seed: 7)
        let reading = try fixture.open()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        let held = fixture.log.heldBytes
        #expect(try fixture.log.trim().isEmpty)
        let outdated = fixture.log.inventory.withLock { inventory in
            var (late, small, full) = (inventory, inventory, inventory)
            let limits = LogInventory.Limits(bytes: .max, time: 1)
            #expect(late.trim(limits, now: 2, givingUp: false) == [GivenUpLog(reason: .time, bytes: held)])
            let none = LogInventory.Limits(bytes: 0, time: .max)
            #expect(small.trim(none, now: 0, givingUp: false) == [GivenUpLog(reason: .size, bytes: held)])
            #expect(full.trim(limits, now: 0, givingUp: true) == [GivenUpLog(reason: .disk, bytes: held)])
            return late
        }
        #expect(outdated.heldBytes == 0)
        try reading.read()
        reading.releaseAll()
        #expect(try fixture.log.trim(givingUp: true).isEmpty)
        #expect(fixture.log.heldBytes == 0)
    }

    @Test("Where positions are not known nothing counts as passed, and who opens the log begins with the oldest record")
    func unknownPositions() throws {
        let fixture = try TailFixture(seed: 8)
        let reading = try fixture.open()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        try fixture.append(20)
        let saved = fixture.log.positions
        reading.tail.close()
        try fixture.restart(positions: [:])
        fixture.log.noteUnknownPositions()
        try fixture.trim()
        try fixture.append(20)
        try fixture.makeCheckpoint()
        #expect(fixture.log.heldBytes > 0)
        fixture.log.keepTails(ofConsumers: ["a", "b"])
        let again = try fixture.open()
        try again.read()
        again.expectAll(1...fixture.newest)
        again.releaseAll()
        try fixture.trim()
        #expect(fixture.log.heldBytes > 0, "for b")
        let newest = fixture.log.positions["a"]
        fixture.log.learn(positions: ["a": saved["a"] ?? 0, "b": 70, "c": 5])
        #expect(fixture.log.positions == ["a": newest, "b": 70])
        #expect(!fixture.log.hasUnknownPositions)
    }

    @Test("Positions that are not known are no matter any more when all that are wanted have begun, or none is")
    func unknownUnwanted() throws {
        let fixture = try TailFixture(seed: 8)
        _ = try fixture.open()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        for consumers: Set<String> in [[], ["a"]] {
            try fixture.restart(positions: [:])
            fixture.log.noteUnknownPositions()
            fixture.log.keepTails(ofConsumers: consumers)
            #expect(fixture.log.hasUnknownPositions == !consumers.isEmpty)
            if !consumers.isEmpty { try fixture.open().tail.close() }
            #expect(!fixture.log.hasUnknownPositions)
        }
    }

    @Test("A checkpoint with records behind it at the start may have had others behind it, and so may the beginning")
    func followed() throws {
        let fixture = try TailFixture(seed: 9)
        func isFollowed() -> Bool? { fixture.log.inventory.withLock { $0.bases(for: .max).first?.isFollowed } }
        try fixture.restart()
        #expect(isFollowed() == true)
        try fixture.append(5)
        try fixture.restart()
        #expect(isFollowed() == false)
        try fixture.makeCheckpoint()
        #expect(isFollowed() == true)
        try fixture.restart()
        #expect(isFollowed() == true)
        try fixture.append(5)
        try fixture.restart()
        #expect(isFollowed() == false)
    }

    @Test("Of the checkpoints between few are kept")
    func spread() throws {
        let fixture = try TailFixture(seed: 6)
        _ = try fixture.open()
        for _ in 0..<24 {
            try fixture.append(20)
            fixture.clock.advance(by: WALHoldTests.hour / 12)
            try fixture.makeCheckpoint()
        }
        #expect(fixture.checkpoints.count <= 6)
        #expect(fixture.segments.first == 0)
    }

    @Test("All is given up when there is no room")
    func givingUp() throws {
        let fixture = try TailFixture(seed: 7)
        let reading = try fixture.open()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        try fixture.append(10)
        #expect(fixture.log.heldBytes > 0)
        try fixture.trim(givingUp: true)
        #expect(fixture.log.heldBytes == 0)
        #expect(fixture.checkpoints == [fixture.checkpoint])
        #expect(fixture.segments == [fixture.log.currentSegment])
        try reading.read()
        #expect(reading.tail.lostRecordCount == fixture.checkpoint)
        reading.expectAll(fixture.checkpoint + 1...fixture.newest)
        try fixture.append(10)
        try fixture.makeCheckpoint(givingUp: true)
        #expect(fixture.log.heldBytes == 0)
    }

    @Test("A restart neither applies nor counts nor repairs it, and a consumer goes on with it")
    func restart() throws {
        let fixture = try TailFixture(seed: 8)
        let reading = try fixture.open()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        let (held, names) = (fixture.log.heldBytes, fixture.names)
        try fixture.append(5)
        // Of a held segment: whoever read it would have to say so.
        let path = WALFixture.segment(0)
        let good = try #require(fixture.disk.bytes(path))
        try fixture.disk.overwrite(path, [0])
        reading.tail.close()
        let report = try fixture.restart()
        #expect(report.damages.isEmpty)
        #expect(report.checkpointLSN == fixture.checkpoint)
        #expect(report.segments == fixture.segments.filter { $0 >= fixture.log.coveredEnd }.count - 1)
        #expect(Set(names).isSubset(of: fixture.names))
        try fixture.disk.overwrite(path, good)
        try fixture.restart()
        #expect(fixture.log.heldBytes == held)
        #expect(fixture.log.tailSampleCount < 200)
        let again = try fixture.open()
        try again.read()
        again.expectAll(1...fixture.newest)
        #expect(again.tail.lostRecordCount == 0)
        // The same again, without what was saved of its position.
        again.tail.close()
        try fixture.restart(positions: [:])
        try fixture.trim()
        #expect(fixture.log.heldBytes == 0)
        #expect(fixture.checkpoints == [fixture.checkpoint])
    }

    @Test("A held segment that could not be synced does not keep the log doubtful once a checkpoint is there")
    func doubt() throws {
        let fixture = try TailFixture(seed: 9)
        _ = try fixture.open()
        try fixture.append(30)
        fixture.disk.failSyncs(true)
        #expect(throws: StorageError.self) { try fixture.log.sync() }
        fixture.disk.failSyncs(false)
        #expect(throws: StorageError.self) { try fixture.log.sync() }
        try fixture.makeCheckpoint()
        #expect(fixture.log.heldBytes > 0)
        #expect(!fixture.log.isDoubtful)
        try fixture.log.sync()
        try fixture.restart()
        fixture.log.doubtOlderSegments()
        #expect(fixture.log.isDoubtful)
        try fixture.makeCheckpoint()
        #expect(!fixture.log.isDoubtful)
    }

    @Test("The newest checkpoint damaged, the one that is kept and its segments give all again")
    func olderCheckpoint() throws {
        let fixture = try TailFixture(seed: 10)
        try fixture.append(30)
        try fixture.makeCheckpoint()
        let older = fixture.checkpoint
        _ = try fixture.open()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        try fixture.append(10)
        let newest = fixture.newest
        let path = FilePath.join(WALFixture.directory, LogFormat.checkpointName(fixture.checkpoint))
        var bytes = try #require(fixture.disk.bytes(path))
        bytes[bytes.count / 2] ^= 1
        try fixture.disk.overwrite(path, bytes)
        let report = try fixture.restart()
        #expect(report.checkpointLSN == older)
        #expect(report.lastLSN == newest)
        #expect(fixture.log.heldBytes == 0, "a replay needs it all")
    }

    @Test("A position behind the end of the log is its end")
    func beyond() throws {
        let fixture = try TailFixture(seed: 11)
        try fixture.append(20)
        let end = fixture.newest
        try fixture.restart(positions: ["a": end, "b": 500])
        #expect(fixture.log.positions == ["a": end, "b": end])
        #expect(fixture.log.restore(positions: ["b": 500]) == ["b"])
        let reading = try fixture.open("b")
        try fixture.append(10)
        try reading.read()
        reading.expectAll(end + 1...fixture.newest)
    }

    @Test("A power cut leaves each consumer with records that were written, in order", arguments: Seeds.fixed(20))
    func powerLoss(seed: UInt64) throws {
        let fixture = try TailFixture(seed: seed)
        let reading = try fixture.open()
        for _ in 0..<6 {
            try fixture.append(1 + fixture.random.below(30))
            if fixture.random.chance(30) { try fixture.makeCheckpoint() }
            if fixture.random.chance(50) { try fixture.log.sync() }
            try reading.read(fixture.random.below(20))
            if fixture.random.chance(30) { reading.releaseAll() }
        }
        let saved = fixture.log.positions["a"] ?? 0
        let after = fixture.disk.losePower(using: &fixture.random)
        reading.tail.close()
        try fixture.restart(after)
        let position = min(saved, fixture.newest)
        let again = try fixture.open()
        var record = CommittedRecord()
        var last = position
        while try again.tail.next(into: &record, timeout: .zero) {
            #expect(record.number > last)
            last = record.number
            let known = try #require(fixture.records[record.number]).batch
            #expect(record.series == known.slots)
            #expect(record.values.map(\.bitPattern) == known.values.map(\.bitPattern))
        }
    }
}
