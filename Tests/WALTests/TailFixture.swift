import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import TestSupport
import Testing

@testable import WAL

/// A log that has consumers, and a model of what was acknowledged: each record, and whose each row is.
final class TailFixture {
    final class Clock: Sendable {
        let now = Atomic<Int64>(0)

        func advance(by milliseconds: Int64) { now.wrappingAdd(milliseconds, ordering: .relaxed) }
    }

    struct Record {
        var batch: LogBatch
        /// Of each row.
        var owners: [LabelSet]
    }

    private(set) var disk = SimulatedFileSystem()
    private(set) var log: LogWriter
    let clock = Clock()
    var options = LogOptions()
    /// By number.
    private(set) var records: [LSN: Record] = [:]
    private var table: [UInt32: (generation: UInt32, labels: LabelSet)] = [:]
    private var generation: UInt32 = 0
    private(set) var checkpoint: LSN = 0
    var random: SeededRandom

    /// Slots are so few that they change hands.
    private static let slotCount = 12

    init(seed: UInt64 = 1, _ adjust: (inout LogOptions) -> Void = { _ in }) throws {
        random = SeededRandom(seed: seed)
        options.samplesPerSeriesMax = 6
        options.segmentBytesMin = 0
        options.monotonicTime = { [clock] in clock.now.load(ordering: .relaxed) }
        adjust(&options)
        log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1, options: options)
    }

    var newest: LSN { log.newest.number }

    // MARK: - Writing

    /// A batch of any kind that the store may log.
    func anyBatch() -> LogBatch {
        var batch = LogBatch()
        let owned = table.keys.sorted()
        if random.chance(5), let slot = owned.first, let owner = table[slot] {
            batch.deletions = [
                .init(slot: slot, generation: owner.generation, range: TimeRange(min: 5, max: 9))
            ]
            return batch
        }
        if random.chance(8), let owner = owned.first.flatMap({ table[$0] }) {
            batch.exemplars = [
                SeriesExemplar(
                    series: owner.labels,
                    exemplar: Exemplar(labels: ["trace_id": "\(random.below(1000))"], value: 1.5, timestamp: 7))
            ]
            return batch
        }
        var slots = owned
        if owned.count < 3 || random.chance(30) {
            let slot = UInt32(random.below(TailFixture.slotCount))
            generation += 1
            batch.newSeries.append(
                .init(slot: slot, generation: generation, labels: ["__name__": "m", "n": "\(generation)"]))
            if !slots.contains(slot) { slots.append(slot) }
            if random.chance(10) { slots = [] }
        }
        for slot in random.some(slots) {
            let time = 1_700_000_000_000 + Int64(random.below(100_000))
            if random.chance(15) {
                batch.append(slot: slot, timestamp: time, histogram: Histograms.simple(random.below(5)))
            } else {
                if random.chance(10) { batch.noteOutOfOrder() }
                batch.append(slot: slot, timestamp: time, value: Double(random.below(50)) / 4)
            }
        }
        return batch
    }

    /// Appends a batch, and notes it once it is acknowledged.
    func append(_ batch: LogBatch) throws {
        let lsn = try log.append(batch)
        for series in batch.newSeries { table[series.slot] = (series.generation, series.labels) }
        records[lsn] = Record(batch: batch, owners: batch.slots.map { table[$0]?.labels ?? [:] })
        let repeated = log.seriesToRepeat(atMost: 10)
        if repeated.isEmpty { return }
        var again: [LogBatch.NewSeries] = []
        for ref in repeated {
            guard let owner = table[ref.slot], owner.generation == ref.generation else { continue }
            again.append(.init(slot: ref.slot, generation: ref.generation, labels: owner.labels))
        }
        try log.repeatSeries(again, of: repeated.count)
        guard !again.isEmpty else { return }
        var batch = LogBatch()
        batch.newSeries = again
        records[log.nextLSN - 1] = Record(batch: batch, owners: [])
    }

    func append(_ count: Int) throws { for _ in 0..<count { try append(anyBatch()) } }

    /// Writes one as the store does, and lets go what is not needed.
    /// - Parameter leaving: slots that have no series any more.
    func makeCheckpoint(givingUp: Bool = false, leaving: Set<UInt32> = []) throws {
        for slot in leaving { table[slot] = nil }
        let segment = try log.cutSegment()
        let lsn = log.nextLSN - 1
        var writer = try CheckpointWriter(
            fileSystem: disk, directory: WALFixture.directory, lsn: lsn, firstSegment: segment)
        var batch = LogBatch()
        for (slot, owner) in table.sorted(by: { $0.key < $1.key }) {
            batch.newSeries.append(.init(slot: slot, generation: owner.generation, labels: owner.labels))
        }
        try writer.add(batch)
        let bytes = try writer.finish(removesOlder: false)
        try log.replaced(by: lsn, firstSegment: segment, bytes: bytes, givingUp: givingUp)
        try log.removeSegments(before: segment)
        checkpoint = lsn
    }

    func trim(givingUp: Bool = false) throws {
        try log.trim(givingUp: givingUp)
        try log.removeSegments(before: log.coveredEnd)
    }

    /// What another process finds, with the positions that were saved.
    /// - Returns: what its replay read.
    @discardableResult
    func restart(_ disk: SimulatedFileSystem? = nil, positions: [String: LSN]? = nil) throws -> ReplayReport {
        let saved = positions ?? log.positions
        self.disk = disk ?? self.disk.killProcess()
        var replayed: [LSN] = []
        let report = try LogReplay.replay(fileSystem: self.disk, directory: WALFixture.directory) { lsn, _ in
            replayed.append(lsn)
        }
        #expect(replayed.allSatisfy { $0 >= report.checkpointLSN })
        log = try LogWriter(
            fileSystem: self.disk, directory: WALFixture.directory, nextLSN: report.lastLSN + 1,
            checkpoint: report.checkpointLSN, options: options)
        log.noteReplayed(report.samples, introduced: report.introduced)
        _ = log.restore(positions: saved)
        checkpoint = report.checkpointLSN
        return report
    }

    // MARK: - Files

    var names: [String] { (try? disk.list(WALFixture.directory)) ?? [] }
    var segments: [UInt64] { names.compactMap(LogFormat.segmentNumber) }
    var checkpoints: [LSN] { names.compactMap(LogFormat.checkpointLSN) }

    // MARK: - Reading

    func open(_ consumer: String = "a") throws -> TailReading {
        try TailReading(log.openTail(consumer: consumer), self)
    }
}

/// A consumer that checks what it gets against the model.
final class TailReading {
    let tail: LogTail
    private unowned let fixture: TailFixture
    private(set) var table: [UInt32: LabelSet] = [:]
    private(set) var numbers: [LSN] = []
    private var record = CommittedRecord()

    init(_ tail: LogTail, _ fixture: TailFixture) throws {
        self.tail = tail
        self.fixture = fixture
        var told: [UInt32: LabelSet] = [:]
        try tail.forEachSeries { number, labels in
            #expect(told.updateValue(labels, forKey: number) == nil, "each number once")
        }
        table = told
    }

    /// Reads what is there.
    /// - Parameter count: at most so many.
    func read(_ count: Int = .max, sourceLocation: SourceLocation = #_sourceLocation) throws {
        var rest = count
        while rest > 0, try tail.next(into: &record, timeout: .zero) {
            rest -= 1
            check(sourceLocation)
        }
    }

    private func check(_ location: SourceLocation) {
        if let last = numbers.last { #expect(record.number > last, sourceLocation: location) }
        numbers.append(record.number)
        for series in record.newSeries { table[series.number] = series.labels }
        guard let known = fixture.records[record.number] else {
            Issue.record("record \(record.number) was never acknowledged", sourceLocation: location)
            return
        }
        var found = LogBatch()
        found.newSeries = known.batch.newSeries
        (found.slots, found.timestamps, found.values) = (record.series, record.timestamps, record.values)
        (found.histogramRows, found.histograms) = (record.histogramRows, record.histograms)
        found.exemplars = record.exemplars
        found.outOfOrderRows = known.batch.outOfOrderRows
        #expect(found == known.batch, "record \(record.number)", sourceLocation: location)
        // Behind a gap it tells more.
        let told = record.newSeries.map(\.labels)
        if tail.lostRecordCount == 0 { #expect(told.count == known.batch.newSeries.count, sourceLocation: location) }
        #expect(
            told.suffix(known.batch.newSeries.count) == known.batch.newSeries.map(\.labels)[...],
            sourceLocation: location)
        #expect(record.series.map { table[$0] } == known.owners, "record \(record.number)", sourceLocation: location)
    }

    func releaseAll() {
        if let last = numbers.last { tail.release(through: last) }
    }

    /// Whether all that was acknowledged in a span came, but for what has nothing to pass on.
    func expectAll(_ range: ClosedRange<LSN>, sourceLocation: SourceLocation = #_sourceLocation) {
        let wanted = range.filter { number in
            guard let batch = fixture.records[number]?.batch else { return false }
            return !batch.slots.isEmpty || !batch.newSeries.isEmpty || !batch.exemplars.isEmpty
        }
        #expect(numbers.filter { range.contains($0) } == wanted, sourceLocation: sourceLocation)
    }
}
