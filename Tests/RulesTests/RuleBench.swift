import Logging
import PromQLEngine
import PromQLTestKit
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import Testing

@testable import Rules

/// A memory store that rules can write to. Series are always given by labels; samples that are not newer than what is
/// there are rejected as a real store would.
final class RuleStore: Appendable, Queryable {
    let memory = MemoryStore()
    private let written = Mutex<[(labels: LabelSet, time: Timestamp, value: Double)]>([])
    private let failure = Mutex<StorageError?>(nil)
    private let newest = Mutex<[LabelSet: (time: Timestamp, bits: UInt64)]>([:])

    func fail(with error: StorageError?) { failure.withLock { $0 = error } }

    /// Everything that was accepted, in order.
    var samples: [(labels: LabelSet, time: Timestamp, value: Double)] { written.withLock { $0 } }

    /// The samples of one time, without the stale markers, as text.
    func values(at time: Timestamp) -> [String] {
        samples.filter { $0.time == time && !StaleMarker.isStale($0.value) }
            .map { "\($0.labels.metricNotation) \(NumberText.apiValue($0.value))" }.sorted()
    }

    func staleSeries(at time: Timestamp) -> [String] {
        samples.filter { $0.time == time && StaleMarker.isStale($0.value) }.map(\.labels.metricNotation).sorted()
    }

    func put(_ labels: LabelSet, _ time: Timestamp, _ value: Double) {
        _ = try? accept(labels, time, value)
    }

    private func accept(
        _ labels: LabelSet, _ time: Timestamp, _ value: Double, _ histogram: NativeHistogram? = nil
    ) throws -> AppendResult.Rejection? {
        let rejection: AppendResult.Rejection? = newest.withLock { newest in
            if let last = newest[labels] {
                if time < last.time { return .outOfOrder }
                if time == last.time { return value.bitPattern == last.bits ? nil : .duplicateTimestamp }
            }
            newest[labels] = (time, value.bitPattern)
            return nil
        }
        if rejection == nil {
            try memory.append([StoredSample(time, histogram.map { .histogram($0) } ?? .float(value))], to: labels)
        }
        return rejection
    }

    func append(_ batch: SampleBatch) async throws -> AppendResult {
        if let failure = failure.withLock({ $0 }) { throw failure }
        var result = AppendResult()
        for index in 0..<batch.count {
            guard case .new(let series) = batch.series[index] else {
                result.rejected.append((index, .unknownSeries))
                continue
            }
            let labels = batch.newSeries[series]
            let histogram = batch.histogramRows.firstIndex(of: index).map { batch.histograms[$0] }
            if let reason = try accept(labels, batch.timestamps[index], batch.values[index], histogram) {
                result.rejected.append((index, reason))
            } else {
                result.accepted += 1
                written.withLock { $0.append((labels, batch.timestamps[index], batch.values[index])) }
            }
        }
        result.refs = batch.newSeries.map { _ in nil }
        return result
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        try memory.select(selections, cancellation: cancellation)
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        try memory.labelNames(matching: matching, in: range, cancellation: cancellation)
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        try memory.labelValues(of: name, matching: matching, in: range, cancellation: cancellation)
    }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet] {
        try memory.series(matching: matching, in: range, cancellation: cancellation)
    }
}

/// Keeps what it was told.
final class RecordingSink: AlertSink {
    private let received = Mutex<[[Alert]]>([])

    func send(_ alerts: [Alert]) async { received.withLock { $0.append(alerts) } }

    /// All alerts since the last call.
    func take() -> [Alert] {
        received.withLock { received in
            defer { received = [] }
            return received.flatMap { $0 }
        }
    }
}

actor MemoryStates: AlertStateStore {
    private(set) var saved: [String: [UInt8]] = [:]

    func load(group: String) -> [UInt8]? { saved[group] }
    func save(_ state: [UInt8], group: String) { saved[group] = state }
    func remove(group: String) { saved[group] = nil }
}

/// All that rules need, in memory.
struct RuleBench {
    let store = RuleStore()
    let sink = RecordingSink()
    let clock: ManualClock
    let registry = MetricsRegistry()
    var context: RuleContext

    init(now: Timestamp = 0, states: (any AlertStateStore)? = nil, settings: RuleSettings = RuleSettings()) {
        clock = ManualClock(now: now)
        let engine = QueryEngine(storage: store, options: EngineOptions(), metrics: registry)
        context = RuleContext(
            query: engine.ruleQuery, storage: store, history: store, sink: sink, states: states, clock: clock,
            metrics: RuleMetrics(registry), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        context.settings = settings
    }

    func file(_ yaml: String, path: String = "r.yml") throws -> RuleFile {
        try RuleFile(parsing: yaml, path: path)
    }

    /// The file's only group, not started.
    func group(_ yaml: String) throws -> RuleGroup {
        let file = try file(yaml)
        return RuleGroup(file: file.path, try #require(file.groups.first), context: context)
    }

    /// The value of a metric in the exposition; nil where there is none.
    func metric(_ name: String) -> Double? {
        let line = registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { NumberText.parse(String($0.split(separator: " ").last ?? "")) }
    }
}
