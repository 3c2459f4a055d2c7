import OwnThreads
import SeriesModel
import StorageAPI

/// A log in memory, whose consumers' positions outlive their tails.
final class MemoryLog: CommitLog {
    struct State {
        var records: [CommittedRecord] = []
        var positions: [String: UInt64] = [:]
        var openConsumers: Set<String> = []
        var keptConsumers: Set<String>?
        /// How often opening still fails.
        var failureCount = 0
        /// The index of a record that cannot be read, once.
        var unreadable: Int?
        /// The number of the newest record that a tail has handed out.
        var lastRead: UInt64 = 0
    }

    let state = Monitor(State())

    /// Adds a record; its number is given to it.
    func append(_ build: (inout CommittedRecord) -> Void) {
        state.change { state in
            var record = CommittedRecord()
            build(&record)
            record.number = UInt64(state.records.count) + 1
            state.records.append(record)
        }
    }

    /// Adds a record of one sample for each series, all with one time.
    func append(_ series: [UInt32], at time: Timestamp, _ value: Double, new: [(UInt32, LabelSet)] = []) {
        append { record in
            record.newSeries = new.map { (number: $0.0, labels: $0.1) }
            for number in series { record.add(number, time, value) }
        }
    }

    var newest: UInt64 { state.withState { UInt64($0.records.count) } }

    func position(of consumer: String) -> UInt64? { state.withState { $0.positions[consumer] } }

    var lastRead: UInt64 { state.withState { $0.lastRead } }

    func openTail(consumer: String) throws(StorageError) -> any CommitTail {
        let position = state.change { state -> UInt64? in
            guard state.failureCount == 0 else {
                state.failureCount -= 1
                return nil
            }
            precondition(state.openConsumers.insert(consumer).inserted, "\(consumer) has a tail already")
            let position = state.positions[consumer] ?? UInt64(state.records.count)
            state.positions[consumer] = position
            return position
        }
        guard let position else { throw .unavailable(reason: "as the test wishes") }
        return MemoryTail(self, consumer, position)
    }

    func keepTails(ofConsumers consumers: Set<String>) {
        state.change { state in
            state.keptConsumers = consumers
            state.positions = state.positions.filter { consumers.contains($0.key) }
        }
    }
}

final class MemoryTail: CommitTail {
    private let log: MemoryLog
    private let consumer: String
    private let start: UInt64
    private let own: Monitor<(last: UInt64, isClosed: Bool)>

    init(_ log: MemoryLog, _ consumer: String, _ position: UInt64) {
        self.log = log
        self.consumer = consumer
        start = position
        own = Monitor((position, false))
    }

    func forEachSeries(_ body: (UInt32, LabelSet) -> Void) throws(StorageError) {
        var series: [UInt32: LabelSet] = [:]
        for record in log.state.withState({ Array($0.records.prefix(Int(start))) }) {
            for (number, labels) in record.newSeries { series[number] = labels }
        }
        for (number, labels) in series { body(number, labels) }
    }

    func next(into record: inout CommittedRecord, timeout: Duration) throws(StorageError) -> Bool {
        let index = Int(own.withState { $0.last })
        let parts = timeout.components
        let milliseconds = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
        let isUnreadable = log.state.withState { state in
            defer { if state.unreadable == index { state.unreadable = nil } }
            return state.unreadable == index
        }
        if isUnreadable { throw .corruption(file: "00000007", offset: 5, reason: "as the test wishes") }
        let found = log.state.wait(milliseconds: milliseconds) { state -> CommittedRecord?? in
            if index < state.records.count {
                state.lastRead = UInt64(index + 1)
                return .some(state.records[index])
            }
            return self.own.withState { $0.isClosed } ? .some(nil) : nil
        }
        guard let next = found ?? nil else { return false }
        own.withState { $0.last += 1 }
        record = next
        return true
    }

    func release(through number: UInt64) {
        let consumer = consumer
        log.state.change { state in
            if state.positions[consumer] != nil {
                state.positions[consumer] = max(number, state.positions[consumer] ?? 0)
            }
        }
    }

    var newest: UInt64 { log.newest }
    var currentSegment: UInt64 { 7 }
    var lostRecordCount: UInt64 { 0 }

    func close() {
        own.withState { $0.isClosed = true }
        let consumer = consumer
        log.state.change { _ = $0.openConsumers.remove(consumer) }
    }
}

extension CommittedRecord {
    mutating func add(_ number: UInt32, _ time: Timestamp, _ value: Double) {
        series.append(number)
        timestamps.append(time)
        values.append(value)
    }

    mutating func add(_ number: UInt32, _ time: Timestamp, _ histogram: NativeHistogram) {
        add(number, time, 0)
        histogramRows.append(series.count - 1)
        histograms.append(histogram)
    }
}
