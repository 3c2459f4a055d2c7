import BackendSeries
import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import TSDB

/// How much a merge of blocks holds up appends and queries: the same paced load before one and while it runs.
struct Interference {
    private let instances: Int
    private let hours: Int
    private let place: BenchmarkStore
    private var values: BackendValues
    private var refs: [[SeriesRef]] = []
    private static let interval: Int64 = 15_000
    /// Appends measured where no merge says when to stop.
    private static let quietCount = 3000

    init(_ arguments: Arguments) throws {
        instances = arguments.number("instances", 20)
        hours = arguments.number("hours", 40)
        place = try BenchmarkStore(arguments.text("directory"))
        values = BackendValues(instances: instances, seed: 1)
    }

    mutating func run() async throws {
        // Blocks of two hours stay as they were cut.
        let filled = try place.open { $0.blockRangeMax = $0.blockRange }
        try await announce(to: filled)
        for _ in 0..<hours * 240 { try await step(filled) { _ in } }
        try filled.maintain()
        print("\(filled.blockSampleCount) samples in blocks")
        try await measure(filled, "before") { count in count < Interference.quietCount }
        filled.close()

        let store = try place.open()
        try await announce(to: store)
        let isMerging = Flag()
        try SystemThread.start("merge", nice: 19) {
            try? store.maintain()
            isMerging.lower()
        }
        let meter = ContinuousClock.now
        try await measure(store, "while blocks are merged") { _ in isMerging.isUp }
        print("merged in \(meter.duration(to: .now) / .seconds(1)) s")
        store.close()
        try place.remove()
    }

    private final class Flag: Sendable {
        private let value = Atomic(true)
        var isUp: Bool { value.load(ordering: .relaxed) }
        func lower() { value.store(false, ordering: .relaxed) }
    }

    // MARK: - Load

    private mutating func announce(to store: TSDB) async throws {
        refs = []
        for instance in 0..<instances {
            var batch = SampleBatch()
            let series = BackendLayout.groups(instance: instance).flatMap(\.series)
            let first = instance * BackendLayout.seriesPerInstance
            for (index, labels) in series.enumerated() {
                batch.append(labels, place.clock.now(), values.values[first + index])
            }
            refs.append(try await store.append(batch).refs.compactMap { $0 })
        }
    }

    /// One scrape of each instance. - Parameter took: gets the seconds of each append.
    private mutating func step(_ store: TSDB, took: (Double) -> Void) async throws {
        place.clock.advance(by: Interference.interval)
        values.advance()
        for instance in 0..<instances {
            var batch = SampleBatch()
            let first = instance * BackendLayout.seriesPerInstance
            for (index, ref) in refs[instance].enumerated() {
                batch.append(ref, place.clock.now(), values.values[first + index])
            }
            let started = ContinuousClock.now
            _ = try await store.append(batch)
            took(started.duration(to: .now) / .seconds(1))
        }
    }

    /// Appends at a pace, with a query after every other step: six hours of one instance.
    private mutating func measure(_ store: TSDB, _ title: String, while goesOn: (Int) -> Bool) async throws {
        var appends: [Double] = []
        var queries: [Double] = []
        var instance = 0
        while goesOn(appends.count) {
            try await step(store) { appends.append($0) }
            let started = ContinuousClock.now
            try query(store, instance % instances)
            queries.append(started.duration(to: .now) / .seconds(1))
            instance += 1
            try await Task.sleep(for: .milliseconds(10))
        }
        print("\(title): append \(Interference.quantiles(appends)), query \(Interference.quantiles(queries))")
    }

    private func query(_ store: TSDB, _ instance: Int) throws {
        guard let instanceLabel = BackendLayout.groups(instance: instance).first?.series.first?["instance"] else {
            return
        }
        let now = place.clock.now()
        let selection = Selection(
            matchers: [.equal("instance", instanceLabel)],
            range: TimeRange(min: now - 6 * 3_600_000, max: now))
        let sets = try store.select([selection], cancellation: Cancellation())
        var buffer = SampleBuffer()
        for index in 0..<(sets.first?.count ?? 0) {
            buffer.removeAll()
            try sets[0].read(index, into: &buffer)
        }
    }

    private static func quantiles(_ seconds: [Double]) -> String {
        let sorted = seconds.sorted()
        guard let last = sorted.last else { return "none" }
        let milliseconds = [0.5, 0.99].map { sorted[Int(Double(sorted.count - 1) * $0)] * 1000 }
        return "p50 \(milliseconds[0]) ms, p99 \(milliseconds[1]) ms, max \(last * 1000) ms of \(sorted.count)"
    }
}
