import ByteCoding
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import HeadMemory

@Suite("Checkpoints of the head")
struct HeadCheckpointTests {
    private let t = HeadFixture.start

    /// The payload of states of all series, and a batch that announces them.
    private func states(of head: Head) -> (batch: LogBatch, payload: [UInt8]) {
        var batch = LogBatch()
        var states: [SeriesState] = []
        for slot in 0..<UInt32(head.slotCount) {
            guard let record = head.record(at: slot)?.pointee, let labels = record.labels else { continue }
            batch.newSeries.append(
                .init(slot: slot, generation: record.generation, labels: head.labels(labels, Int(record.labelCount))))
            states.append(SeriesState(record, slot))
        }
        var output = ByteBuilder()
        SeriesState.append(states, head.blockRange, to: &output)
        return (batch, output.bytes)
    }

    /// What a head tells of itself.
    private struct Figures: Equatable {
        var contents: [LabelSet: [MixedSample]]
        var range: TimeRange?
        var oldest: Timestamp?
        var newest: Timestamp?
        var chunks: Int
        var closedBytes: Int
        var late: Int

        init(_ head: Head) throws {
            contents = try HeadFixture.contents(of: head)
            (range, oldest, newest) = (head.range, head.oldestTime, head.newestTime)
            (chunks, closedBytes, late) = (head.chunkCount, head.closedBytes, head.outOfOrderSeriesCount)
        }
    }

    private func randomHead(_ history: inout RandomHistory, steps: Int) throws -> HeadFixture {
        let test = try HeadFixture { $0.chunkFileBytes = 4096 }
        test.head.outOfOrderWindow = 4 * 3_600_000
        for _ in 0..<steps { try test.append(SampleBatch(history.next()), flushes: !history.random.chance(30)) }
        return test
    }

    @Test("Where a checkpoint has lost its first record, head chunks in a directory of another name stay as well")
    func ownChunkDirectory() throws {
        let test = try HeadFixture { $0.chunkDirectoryName = "chunks_head-hearth" }
        for minute in 0..<130 {
            try test.append([(HeadFixture.labels(0), t + Int64(minute) * 60_000, Double(minute))])
        }
        try test.checkpoint()
        let path = HeadFixture.directory + "/chunks_head-hearth/00000000"
        #expect(test.disk.exists(path))
        var options = HeadFixture.options(test.disk)
        options.chunkDirectoryName = "chunks_head-hearth"
        let head = try HeadRestore(options, start: .min, hasCheckpoint: true).head()
        #expect(test.disk.exists(path))
        #expect(head.chunkPlace.file == 1)
    }

    @Test("A head from a checkpoint holds the same, and goes on as the other does", arguments: Seeds.fixed(8))
    func goesOn(_ seed: UInt64) throws {
        var history = RandomHistory(seed: seed)
        let test = try randomHead(&history, steps: 20 + history.random.below(300))
        // Samples that wait out of order are chunks in a checkpoint: they are counted so.
        try test.head.sealOutOfOrder()
        try test.checkpoint()
        let (other, report) = try HeadFixture.restore(test.disk.killProcess(), start: .min)
        #expect(report.damages.isEmpty)
        other.outOfOrderWindow = test.head.outOfOrderWindow
        let (found, expected) = (try Figures(other), try Figures(test.head))
        #expect(found.contents == expected.contents)
        #expect(found.range == expected.range)
        #expect(found.oldest == expected.oldest)
        #expect(found.newest == expected.newest)
        #expect(found.chunks == expected.chunks)
        #expect(found.closedBytes == expected.closedBytes)
        #expect(found.late == expected.late)
        for step in 0..<150 {
            let batch = SampleBatch(history.next())
            let decisions = [test.head, other].map { head in
                let decision = BatchDecision(batch, head: head, now: history.time + 1000)
                head.gate.exclusive { decision.apply() }
                head.reclaim()
                return decision
            }
            try #require(decisions[0].log == decisions[1].log, "seed \(seed), step \(step)")
            try #require(decisions[0].result.refs == decisions[1].result.refs)
            if step % 10 == 0 {
                for head in [test.head, other] { try head.flushClosed() }
            }
        }
        #expect(try Figures(other).contents == Figures(test.head).contents)
        #expect(other.range == test.head.range)
    }

    @Test("A checkpoint of a head from a checkpoint is the same, byte for byte", arguments: Seeds.fixed(4))
    func again(_ seed: UInt64) throws {
        var history = RandomHistory(seed: seed + 100)
        let test = try randomHead(&history, steps: 200)
        try test.head.sealOutOfOrder()
        try test.checkpoint()
        let (other, _) = try HeadFixture.restore(test.disk.killProcess(), start: .min)
        #expect(Hex.text(states(of: other).payload) == Hex.text(states(of: test.head).payload))
    }

    @Test("What blocks have is left out of what a checkpoint brings back")
    func start() throws {
        var history = RandomHistory(seed: 3)
        let test = try randomHead(&history, steps: 400)
        try test.checkpoint()
        let end = t + HeadFixture.blockRange
        let (other, _) = try HeadFixture.restore(test.disk.killProcess(), start: end)
        for (labels, samples) in try HeadFixture.contents(of: other) {
            let all = try #require(try test.contents()[labels])
            // Late ones are not known to be in a block.
            #expect(samples.suffix(20) == all.suffix(20))
        }
        #expect(other.lowerBound >= end)
        #expect(other.chunkCount < test.head.chunkCount)
    }

    @Test("Deletions are in a checkpoint, those of series that have left are not")
    func deletions() throws {
        let test = try HeadFixture()
        for number in 0..<3 {
            for index in 0..<5 { try test.append([(HeadFixture.labels(number), t + Int64(index), 1)]) }
        }
        let deletions = test.head.deletions(of: [0, 2, 9], in: TimeRange(min: t + 3, max: .max))
        #expect(deletions.map(\.range) == [TimeRange(min: t + 3, max: t + 4), TimeRange(min: t + 3, max: t + 4)])
        var batch = LogBatch()
        batch.deletions = deletions
        _ = try test.log.append(batch)
        test.head.gate.exclusive { test.head.apply(deletions: deletions) }
        let expected = try test.contents()
        #expect(expected[HeadFixture.labels(0)]?.count == 3)
        #expect(expected[HeadFixture.labels(1)]?.count == 5)
        try test.restart()
        #expect(try test.contents() == expected)
        try test.checkpoint()
        try test.restart()
        #expect(try test.contents() == expected)
        #expect(test.head.tombstones.count == 2)
        try test.truncate(to: t + HeadFixture.blockRange)
        #expect(test.head.tombstones.isEmpty)
    }

    // MARK: - Bytes

    /// Two series: a float series with an open chunk, one with a histogram and a late sample.
    private func smallHead() throws -> HeadFixture {
        let test = try HeadFixture()
        test.head.outOfOrderWindow = 3_600_000
        try test.append([(["__name__": "up"], t, 1), (["__name__": "up"], t + 15_000, 0.5)])
        var batch = SampleBatch()
        batch.append(["__name__": "h"], t + 15_000, Histograms.simple(2))
        batch.append(["__name__": "h"], t + 10_000, 4)
        try test.append(batch)
        return test
    }

    @Test("A record of states is these bytes")
    func golden() throws {
        let payload = states(of: try smallHead().head).payload
        #expect(
            Hex.text(payload)
                == "020005b08ad7edee66000000000000e03fb0ea0102b0ea010b340ed60c0280a0d5edee663ff0000000000000987501130001"
                + "0102b08ad7edee660024000100ff3f50624dd2f1a9fc4a28ca31b7f0000cdbb6d714c5e27fa00000000000012480000101a0"
                + "bcd6edee6600100001a0bcd6edee66401000000000000000")
    }

    @Test("A record that is cut anywhere is an error")
    func cut() throws {
        let (batch, payload) = states(of: try smallHead().head)
        for count in 0..<payload.count {
            let restore = HeadRestore(HeadFixture.options(SimulatedFileSystem()), start: .min)
            _ = try restore.head().replay(batch) { _ in false }
            #expect(throws: StorageError.self) { try restore.restore(.seriesStates, Array(payload[..<count])) }
        }
    }

    @Test("A record with any byte changed is an error or some state, with which the head goes on")
    func flipped() throws {
        let (batch, payload) = states(of: try smallHead().head)
        for index in payload.indices {
            for bit in 0..<8 {
                var damaged = payload
                damaged[index] ^= 1 << UInt8(bit)
                try goOn(with: batch, damaged)
            }
            for value: UInt8 in [0x00, 0x7F, 0x80, 0xFF] {
                var damaged = payload
                damaged[index] = value
                try goOn(with: batch, damaged)
            }
        }
    }

    @Test("A record of random bytes, or with pieces of another, is an error or some state", arguments: Seeds.fixed(2))
    func random(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (batch, payload) = states(of: try closedHead().head)
        for _ in 0..<400 {
            var damaged = payload
            for _ in 0...random.below(4) {
                let start = random.below(damaged.count)
                let count = min(random.below(12), damaged.count - start)
                let other = (0..<random.below(12)).map { _ in
                    random.chance(40) ? 0xFF : UInt8(random.below(256))
                }
                damaged.replaceSubrange(start..<start + count, with: other)
                if damaged.isEmpty { damaged = [1] }
            }
            try goOn(with: batch, damaged)
        }
    }

    /// With closed chunks, some in a file.
    private func closedHead() throws -> HeadFixture {
        let test = try HeadFixture()
        test.head.outOfOrderWindow = 7_200_000
        for index in 0..<300 {
            var batch = SampleBatch()
            batch.append(["__name__": "up"], t + Int64(index) * 1000, Double(index % 3))
            if index % 100 == 99 {
                batch.append(["__name__": "up"], t + Int64(index) * 1000 - 1, Histograms.simple(index))
            }
            if index < 40 { batch.append(["__name__": "h"], t + Int64(index) * 1000, Histograms.simple(index)) }
            if index > 250 { batch.append(["__name__": "h"], t + Int64(index % 40) * 1000 + 1, 7) }
            try test.append(batch, flushes: index < 260)
        }
        return test
    }

    /// Takes bytes from a checkpoint, and whatever comes of them goes through all that a head does.
    private func goOn(with batch: LogBatch, _ payload: [UInt8]) throws {
        let disk = SimulatedFileSystem()
        let restore = HeadRestore(HeadFixture.options(disk), start: .min)
        let head = try restore.head()
        _ = head.replay(batch) { _ in false }
        try? restore.restore(.seriesStates, payload)
        head.finishReplay()
        head.outOfOrderWindow = HeadFixture.blockRange
        let now = (head.newestTime ?? t).addingClamped(1000)
        for time in [t + 20_000, now] {
            var samples = SampleBatch()
            for series in batch.newSeries {
                samples.append(series.labels, time, 1)
                samples.append(series.labels, time.addingClamped(1), Histograms.simple(7))
                samples.append(series.labels, time.addingClamped(-2000), 3)
            }
            let decision = BatchDecision(samples, head: head, now: .max)
            head.gate.exclusive { decision.apply() }
        }
        _ = try? HeadFixture.contents(of: head)
        _ = try? HeadFixture.contents(of: head, TimeRange(min: t, max: t + 1000))
        try head.sealOutOfOrder()
        try head.flushClosed()
        _ = head.outOfOrderWindows
        let cut = HeadCut(head, TimeRange(min: t - 10 * HeadFixture.blockRange, max: t + HeadFixture.blockRange))
        _ = cut.windows(width: HeadFixture.blockRange)
        try cut.forEach(in: TimeRange(min: t, max: t + 100_000), damaged: { _ in }) { _, _ in }
        #expect(!states(of: head).payload.isEmpty)
        let gone = head.gate.exclusive {
            head.raiseStart(to: t + 10_000)
            head.beginTruncation()
            return head.truncate(0..<head.slotCount, outOfOrderEnd: t + 10_000)
        }
        head.gate.exclusive { head.endTruncation(gone) }
        head.reclaim()
        #expect(head.memoryBytes < 4 << 20)
    }

    @Test("Times that have no aligned window are an error", arguments: [Timestamp.max - 5, .min, 1 << 61])
    func extremeTimes(_ time: Timestamp) throws {
        var late = ByteBuilder()
        // One series, slot 0, a side: nothing but one late chunk in a file.
        late.append(contentsOf: [1, 0, 16, 0, 0, 0, 0, 1, 0, 48])
        late.appendZigzag(time)
        late.append(contentsOf: [0, 30])
        var newest = ByteBuilder()
        newest.append(contentsOf: [1, 0, 1])
        newest.appendZigzag(time)
        newest.appendLittleEndian(UInt64(0))
        for payload in [late.bytes, newest.bytes] {
            let restore = HeadRestore(HeadFixture.options(SimulatedFileSystem()), start: .min)
            var batch = LogBatch()
            batch.newSeries = [.init(slot: 0, generation: 1, labels: HeadFixture.labels(0))]
            _ = try restore.head().replay(batch) { _ in false }
            #expect(throws: StorageError.self) { try restore.restore(.seriesStates, payload) }
            try restore.head().sealOutOfOrder()
            #expect(try restore.head().outOfOrderWindows.isEmpty)
        }
    }

    @Test("The state of the whole comes back, and other bytes than its two numbers are an error")
    func headState() throws {
        var output = ByteBuilder()
        HeadState(place: HeadChunkPlace(file: 3, offset: 1 << 20)).append(to: &output)
        #expect(Hex.text(output.bytes) == "03808040")
        #expect(try HeadState(output.bytes).place == HeadChunkPlace(file: 3, offset: 1 << 20))
        for bytes in [[], [3], output.bytes + [0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0], [0xFF]] as [[UInt8]] {
            let restore = HeadRestore(HeadFixture.options(SimulatedFileSystem()), start: .min)
            #expect(throws: StorageError.self) { try restore.restore(.headState, bytes) }
        }
    }
}
