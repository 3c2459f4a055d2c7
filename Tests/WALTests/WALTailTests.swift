import FileIO
import OwnThreads
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import TestSupport
import Testing

@testable import WAL

@Suite("A consumer of the log")
struct WALTailTests {
    @Test(
        "gets every record once, in order, with the owner of each row, over cuts, checkpoints, closing and kills",
        arguments: Seeds.fixed(20))
    func model(seed: UInt64) throws {
        let fixture = try TailFixture(seed: seed)
        var reading = try fixture.open()
        var (first, lost): (LSN, UInt64) = (1, 0)
        for _ in 0..<60 {
            try fixture.append(1 + fixture.random.below(12))
            switch fixture.random.below(8) {
            case 0: try fixture.makeCheckpoint()
            case 1:
                reading.releaseAll()
                try fixture.trim()
            case 2, 3:
                // What was released does not come again; what was not does.
                let isKill = fixture.random.chance(50)
                reading.tail.close()
                if isKill { try fixture.restart() }
                first = (fixture.log.positions["a"] ?? 0) + 1
                reading = try fixture.open()
            default: try reading.read(fixture.random.below(20))
            }
            lost += reading.tail.lostRecordCount
        }
        try reading.read()
        if first <= fixture.newest { reading.expectAll(first...fixture.newest) }
        #expect(lost == 0)
        reading.releaseAll()
        try fixture.trim()
        try fixture.makeCheckpoint()
        #expect(fixture.checkpoints == [fixture.checkpoint])
        #expect(fixture.log.heldBytes == 0)
    }

    @Test("that is new begins behind the newest record, and knows all series")
    func begins() throws {
        let fixture = try TailFixture(seed: 7)
        try fixture.append(40)
        try fixture.makeCheckpoint()
        try fixture.append(20)
        let end = fixture.newest
        let reading = try fixture.open()
        #expect(!reading.table.isEmpty)
        try fixture.append(30)
        try reading.read()
        reading.expectAll(end + 1...fixture.newest)
        #expect(reading.numbers.first.map { $0 > end } ?? false)
        #expect(reading.tail.newest == fixture.newest)
        #expect(reading.tail.currentSegment == fixture.log.currentSegment)
    }

    @Test(
        "never sees an append that failed, whatever it left in the file",
        arguments: [
            SimulatedFileSystem.WriteFailure.whole, .half, .halfAndTruncate,
        ])
    func failedAppend(kind: SimulatedFileSystem.WriteFailure) throws {
        // A segment that could not be begun would be the write that fails.
        let fixture = try TailFixture(seed: 3) { $0.samplesPerSeriesMax = 10_000 }
        let reading = try fixture.open()
        for round in 0..<20 {
            try fixture.append(1)
            if round % 2 == 0 { try reading.read() }
            var batch = LogBatch()
            batch.newSeries.append(.init(slot: 1, generation: 4_000_000, labels: ["never": "seen"]))
            batch.append(slot: 1, timestamp: 5, value: 0.125)
            fixture.disk.failWrite(0, kind)
            #expect(throws: StorageError.self) { try fixture.log.append(batch) }
            if round % 3 == 0 { try reading.read() }
        }
        try reading.read()
        reading.expectAll(1...fixture.newest)
        #expect(reading.tail.lostRecordCount == 0)
    }

    @Test("waits for a record, for the end of the time, of its tail, and of the log")
    func waits() throws {
        let fixture = try TailFixture(seed: 4)
        try fixture.append(3)
        let tail = try fixture.log.openTail(consumer: "a")
        let outcome = Monitor<[Result<LSN?, StorageError>]>([])
        func waitInAThread() throws {
            try SystemThread.start("tail") {
                let result = Result { () throws(StorageError) -> LSN? in
                    var record = CommittedRecord()
                    return try tail.next(into: &record, timeout: .seconds(60)) ? record.number : nil
                }
                outcome.change { $0.append(result) }
            }
        }
        func ended(_ count: Int) -> Result<LSN?, StorageError>? {
            outcome.wait(milliseconds: 60_000) { $0.count == count ? $0.last : nil }
        }
        try waitInAThread()
        var batch = LogBatch()
        batch.append(slot: 0, timestamp: 1, value: 1)
        try fixture.append(batch)
        #expect(ended(1) == .success(fixture.newest))
        var record = CommittedRecord()
        #expect(try !tail.next(into: &record, timeout: .milliseconds(1)))
        try waitInAThread()
        tail.close()
        #expect(ended(2) == .success(nil))
        let other = try fixture.log.openTail(consumer: "a")
        fixture.log.endTails()
        #expect(throws: StorageError.closed) { try other.next(into: &record, timeout: .seconds(60)) }
        #expect(throws: StorageError.closed) { try fixture.log.openTail(consumer: "b") }
    }

    @Test("reads while another thread writes")
    func beside() throws {
        let fixture = try TailFixture(seed: 5)
        let (log, count) = (fixture.log, 3000)
        let tail = try log.openTail(consumer: "a")
        let writes = Monitor<Bool>(false)
        try SystemThread.start("writer") {
            for number in 0..<count {
                var batch = LogBatch()
                if number == 0 { batch.newSeries.append(.init(slot: 0, generation: 1, labels: ["a": "b"])) }
                for row in 0...number % 7 { batch.append(slot: 0, timestamp: Int64(row), value: Double(number)) }
                if (try? log.append(batch)) == nil { break }
            }
            writes.change { $0 = true }
        }
        var record = CommittedRecord()
        for number in 0..<count {
            #expect(try tail.next(into: &record, timeout: .seconds(60)))
            #expect(record.number == LSN(number) + 1)
            #expect(record.values == [Double](repeating: Double(number), count: number % 7 + 1))
        }
        writes.wait { $0 ? () : nil }
        #expect(tail.lostRecordCount == 0)
    }

    @Test("is one of several, each with its own position; one that is forgotten keeps nothing")
    func several() throws {
        let fixture = try TailFixture(seed: 6)
        let (a, b) = (try fixture.open("a"), try fixture.open("b"))
        #expect(throws: StorageError.self) { try fixture.log.openTail(consumer: "a") }
        try fixture.append(50)
        try a.read()
        a.releaseAll()
        try fixture.makeCheckpoint()
        try fixture.append(50)
        try fixture.makeCheckpoint()
        #expect(fixture.log.heldBytes > 0, "for b")
        try b.read()
        b.expectAll(1...fixture.newest)
        b.tail.close()
        fixture.log.keepTails(ofConsumers: ["a"])
        try a.read()
        a.releaseAll()
        a.expectAll(1...fixture.newest)
        try fixture.trim()
        #expect(fixture.log.heldBytes == 0)
        #expect(fixture.log.positions.keys.sorted() == ["a"])
    }

    @Test("passes over what is damaged to the end of its segment, and says how much that was")
    func damage() throws {
        let fixture = try TailFixture(seed: 8)
        let reading = try fixture.open()
        try fixture.append(120)
        let segments = fixture.segments
        #expect(segments.count > 3)
        let damaged = segments[1]
        let path = WALFixture.segment(damaged)
        let offsets = try WALFixture.frameOffsets(fixture.disk, damaged)
        let origin = try #require(fixture.log.inventory.withLock { $0.segments.first { $0.number == damaged } }).origin
        let next = try #require(
            fixture.log.inventory.withLock { $0.segments.first { $0.number == segments[2] } }
        ).origin
        #expect(offsets.count - 1 == Int(next - origin))
        var bytes = try #require(fixture.disk.bytes(path))
        bytes[offsets[1] + 30 > offsets[2] ? offsets[1] + 5 : offsets[1] + 30] ^= 1
        try fixture.disk.overwrite(path, bytes)
        var record = CommittedRecord()
        var numbers: [LSN] = []
        while try reading.tail.next(into: &record, timeout: .zero) { numbers.append(record.number) }
        #expect(!numbers.contains { (origin + 1..<next).contains($0) })
        #expect(numbers.contains { $0 >= next })
        #expect(numbers.last == fixture.newest || fixture.records[fixture.newest]?.batch.deletions.isEmpty == false)
        #expect(reading.tail.lostRecordCount == next - origin - 1)
    }

    @Test("passes over a segment that somebody has removed as over one that is damaged")
    func missing() throws {
        let fixture = try TailFixture(seed: 8)
        let reading = try fixture.open()
        try fixture.append(120)
        let missing = try #require(fixture.segments.dropFirst().first)
        let (origin, next) = try fixture.log.inventory.withLock { inventory in
            let index = try #require(inventory.segments.firstIndex { $0.number == missing })
            return (inventory.segments[index].origin, inventory.segments[index + 1].origin)
        }
        try fixture.disk.remove(WALFixture.segment(missing))
        var record = CommittedRecord()
        var numbers: [LSN] = []
        while try reading.tail.next(into: &record, timeout: .zero) { numbers.append(record.number) }
        #expect(!numbers.contains { (origin..<next).contains($0) })
        #expect(numbers.contains { $0 < origin } && numbers.contains { $0 >= next })
        #expect(reading.tail.lostRecordCount == next - origin)
    }

    @Test("takes no memory for a damaged length that is beyond the end of the file")
    func damagedLength() throws {
        let fixture = try TailFixture(seed: 9)
        try fixture.append(8)
        let path = WALFixture.segment(0)
        var bytes = try #require(fixture.disk.bytes(path))
        let offset = try #require(WALFixture.frameOffsets(fixture.disk, 0).first)
        // 16 MiB.
        bytes.replaceSubrange(offset + 4..<offset + 8, with: [0, 0, 0, 1])
        try fixture.disk.overwrite(path, bytes)
        var reader = try SegmentReader(fileSystem: fixture.disk, directory: WALFixture.directory, number: 0)
        // After the first piece nothing is read any more.
        fixture.disk.failCall(1, of: .read)
        do throws(SegmentReader.Failure) {
            _ = try reader.next(1, acknowledged: 8)
            Issue.record("a damaged frame was read")
        } catch {
            guard case .damaged("frame ends early") = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    /// A number changes hands in a segment that is damaged then.
    private func handOver(_ fixture: TailFixture) throws {
        try fixture.makeCheckpoint(leaving: [1])
        var batch = LogBatch()
        batch.newSeries = [.init(slot: 1, generation: 2, labels: ["owner": "new"])]
        batch.append(slot: 1, timestamp: 2, value: 2)
        let segment = fixture.log.currentSegment
        try fixture.append(batch)
        _ = try fixture.log.cutSegment()
        let path = WALFixture.segment(segment)
        var bytes = try #require(fixture.disk.bytes(path))
        bytes[bytes.count - 1] ^= 1
        try fixture.disk.overwrite(path, bytes)
    }

    private func opened() throws -> (TailFixture, TailReading) {
        let fixture = try TailFixture(seed: 11)
        let reading = try fixture.open()
        var batch = LogBatch()
        for (slot, name) in [(UInt32(0), "other"), (1, "old")] {
            batch.newSeries.append(.init(slot: slot, generation: 1, labels: ["owner": "\(name)"]))
            batch.append(slot: slot, timestamp: 1, value: 1)
        }
        try fixture.append(batch)
        try reading.read()
        #expect(reading.table[1] == ["owner": "old"])
        return (fixture, reading)
    }

    @Test("never takes a number for that of its old owner, where the record that gave it away is damaged")
    func damagedOwner() throws {
        let (fixture, reading) = try opened()
        try handOver(fixture)
        var batch = LogBatch()
        batch.append(slot: 0, timestamp: 3, value: 3)
        batch.append(slot: 1, timestamp: 3, value: 3)
        try fixture.append(batch)
        var record = CommittedRecord()
        #expect(try reading.tail.next(into: &record, timeout: .zero))
        #expect(record.series == [0] && record.timestamps == [3] && record.values == [3])
        #expect(record.newSeries.map(\.labels) == [["owner": "other"]])
        var again = LogBatch()
        again.newSeries = [.init(slot: 1, generation: 2, labels: ["owner": "new"])]
        try fixture.append(again)
        try fixture.append(batch)
        #expect(try reading.tail.next(into: &record, timeout: .zero))
        #expect(record.newSeries.map(\.labels) == [["owner": "new"]])
        #expect(try reading.tail.next(into: &record, timeout: .zero))
        #expect(record.series == [0, 1] && record.newSeries.isEmpty)
        #expect(reading.tail.lostRecordCount == 1)
    }

    @Test("is told who has which number behind a gap in records of 10,000 series, and then gets the rows")
    func manySeries() throws {
        let fixture = try TailFixture(seed: 14) { $0.samplesPerSeriesMax = 100 }
        let reading = try fixture.open()
        let count: UInt32 = 25_000
        var first = LogBatch()
        for slot in 0..<count {
            first.newSeries.append(.init(slot: slot, generation: 1, labels: ["n": "\(slot)"]))
        }
        try fixture.append(first)
        try fixture.makeCheckpoint()
        var batch = LogBatch()
        for slot in [0, count - 1] { batch.append(slot: slot, timestamp: 1, value: 1) }
        let damaged = fixture.log.currentSegment
        try fixture.append(batch)
        _ = try fixture.log.cutSegment()
        var bytes = try #require(fixture.disk.bytes(WALFixture.segment(damaged)))
        bytes[bytes.count - 1] ^= 1
        try fixture.disk.overwrite(WALFixture.segment(damaged), bytes)
        try fixture.append(batch)
        var record = CommittedRecord()
        var told: [(number: LSN, series: Int, rows: Int)] = []
        var known: Set<UInt32> = []
        while try reading.tail.next(into: &record, timeout: .zero) {
            told.append((record.number, record.newSeries.count, record.series.count))
            if record.number > 1 { known.formUnion(record.newSeries.map(\.number)) }
            reading.tail.release(through: record.number)
        }
        #expect(told.map(\.number) == [1, 2, 2, 3])
        #expect(told.map(\.series) == [25_000, 10_000, 10_000, 5000])
        #expect(told.map(\.rows) == [0, 0, 0, 2])
        #expect(known.count == Int(count))
        #expect(reading.tail.lostRecordCount == 1)
        #expect(fixture.log.positions == ["a": 3])
    }

    @Test("goes on at the next checkpoint, where the one before the damage was not kept")
    func damageBehindUnknownCheckpoint() throws {
        let (fixture, reading) = try opened()
        try fixture.makeCheckpoint()
        var other = LogBatch()
        other.append(slot: 0, timestamp: 2, value: 2)
        try fixture.append(other)
        try reading.read()
        try handOver(fixture)
        var batch = LogBatch()
        batch.append(slot: 1, timestamp: 3, value: 3)
        try fixture.append(batch)
        try fixture.makeCheckpoint()
        let newest = fixture.newest
        try fixture.append(batch)
        #expect(fixture.checkpoints.count == 2, "the one in between was not kept")
        var record = CommittedRecord()
        #expect(try reading.tail.next(into: &record, timeout: .zero))
        #expect(record.number == newest + 1)
        #expect(record.newSeries.map(\.labels).contains(["owner": "new"]))
        #expect(reading.tail.lostRecordCount == 2)
    }

    @Test("begins at the next checkpoint, where its own is damaged")
    func damagedBase() throws {
        let fixture = try TailFixture(seed: 12)
        try fixture.append(30)
        try fixture.makeCheckpoint()
        let base = fixture.checkpoint
        try fixture.open().tail.close()
        try fixture.append(60)
        try fixture.makeCheckpoint()
        try fixture.append(10)
        let path = FilePath.join(WALFixture.directory, LogFormat.checkpointName(base))
        var bytes = try #require(fixture.disk.bytes(path))
        bytes[bytes.count / 2] ^= 1
        try fixture.disk.overwrite(path, bytes)
        let reading = try fixture.open()
        try reading.read()
        #expect(reading.tail.lostRecordCount == fixture.checkpoint - base)
        reading.expectAll(fixture.checkpoint + 1...fixture.newest)
    }

    @Test("has released what has nothing for it as well, when all before is")
    func nothingForIt() throws {
        let fixture = try TailFixture(seed: 13)
        let reading = try fixture.open()
        var batch = LogBatch()
        batch.newSeries.append(.init(slot: 0, generation: 1, labels: ["a": "b"]))
        batch.append(slot: 0, timestamp: 1, value: 1)
        try fixture.append(batch)
        var deletion = LogBatch()
        deletion.deletions = [.init(slot: 0, generation: 1, range: TimeRange(min: 1, max: 2))]
        try fixture.append(deletion)
        try reading.read()
        #expect(reading.numbers == [1])
        #expect(fixture.log.positions == ["a": 0])
        reading.releaseAll()
        #expect(fixture.log.positions == ["a": 2])
        try fixture.append(deletion)
        try reading.read()
        #expect(fixture.log.positions == ["a": 3])
    }

    @Test("meets any byte changed: each record that it gets is one that was written")
    func anyByte() throws {
        let fixture = try TailFixture(seed: 9)
        try fixture.append(8)
        try fixture.log.openTail(consumer: "a").close()
        let path = WALFixture.segment(0)
        let good = try #require(fixture.disk.bytes(path))
        for index in good.indices {
            var bytes = good
            bytes[index] ^= UInt8(1 << (index % 8))
            try fixture.disk.overwrite(path, bytes)
            _ = fixture.log.restore(positions: ["a": 0])
            let tail = try fixture.log.openTail(consumer: "a")
            var record = CommittedRecord()
            var count: UInt64 = 0
            while try tail.next(into: &record, timeout: .zero) {
                count += 1
                let known = try #require(fixture.records[record.number]).batch
                #expect(record.series == known.slots && record.timestamps == known.timestamps)
                #expect(record.values.map(\.bitPattern) == known.values.map(\.bitPattern))
            }
            #expect(tail.lostRecordCount + count >= 7 || tail.lostRecordCount == 0, "byte \(index)")
            tail.close()
        }
    }

    @Test("is not stopped by a call that the disk refused once")
    func refusal() throws {
        let fixture = try TailFixture(seed: 10)
        let reading = try fixture.open()
        try fixture.append(30)
        fixture.disk.failCall(0, of: .read, 24)
        var record = CommittedRecord()
        #expect(throws: StorageError.self) { try reading.tail.next(into: &record, timeout: .zero) }
        try reading.read()
        reading.expectAll(1...fixture.newest)
        #expect(reading.tail.lostRecordCount == 0)
    }
}
