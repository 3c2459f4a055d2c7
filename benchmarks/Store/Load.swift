import BackendSeries
import FileIO
import HeadMemory
import SeriesModel
import StorageAPI
import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// A steady load: so many instances, so many steps.
struct Load {
    private let instances: Int
    private let steps: Int
    private let seriesTotal: Int
    private let extraLabels: Int
    private let place: BenchmarkStore
    private let isKept: Bool
    private static let interval: Int64 = 15_000
    /// 1,000 samples.
    private static let instancesPerBatch = 2

    init(_ arguments: Arguments) throws {
        instances = arguments.number("instances", 40)
        steps = arguments.number("steps", 500)
        extraLabels = arguments.number("labels", 0)
        seriesTotal = instances * BackendLayout.seriesPerInstance
        place = try BenchmarkStore(arguments.text("directory"))
        isKept = arguments.text("directory") != nil
    }

    /// Sends everything. - Returns: the samples.
    private func send(to store: TSDB, announcing: Bool = true) async throws -> Int {
        var values = BackendValues(instances: instances, seed: 1)
        var refs: [[SeriesRef]] = []
        var batch = SampleBatch()
        batch.reserveCapacity(BackendLayout.seriesPerInstance)
        var meter = Meter()
        for instance in 0..<instances {
            batch.removeAll()
            let series = BackendLayout.groups(instance: instance).flatMap(\.series)
            let first = instance * BackendLayout.seriesPerInstance
            for (index, labels) in series.enumerated() {
                batch.append(extended(labels, instance), place.clock.now(), values.values[first + index])
            }
            refs.append(try await store.append(batch).refs.compactMap { $0 })
        }
        meter.report("first step: new series", samples: seriesTotal)
        meter = Meter()
        var generating = 0.0
        for _ in 1..<max(2, steps) {
            place.clock.advance(by: Load.interval)
            let started = ContinuousClock.now
            values.advance()
            generating += started.duration(to: .now) / .seconds(1)
            let time = place.clock.now()
            for pair in stride(from: 0, to: instances, by: Load.instancesPerBatch) {
                batch.removeAll()
                for instance in pair..<min(pair + Load.instancesPerBatch, instances) {
                    let first = instance * BackendLayout.seriesPerInstance
                    for (index, ref) in refs[instance].enumerated() {
                        batch.append(ref, time, values.values[first + index])
                    }
                }
                _ = try await store.append(batch)
            }
        }
        let samples = seriesTotal * (max(2, steps) - 1)
        meter.report("steady: committer + log", samples: samples)
        print("  of it to make the values: \(generating / Double(samples) * 1e6) CPU-s/M")
        return samples + seriesTotal
    }

    private func extended(_ labels: LabelSet, _ instance: Int) -> LabelSet {
        if extraLabels == 0 { return labels }
        return LabelSet(
            Array(labels)
                + (0..<extraLabels).map { Label("label_\($0)", "value-\($0)-\(instance % (7 + $0 * 13))") })
    }

    func append() async throws {
        let before = ProcessMemory()
        let written = writtenBytes()
        let store = try place.open()
        let samples = try await send(to: store)
        // A checkpoint that is being made keeps what it reads from being freed: at this pace that is much more than in
        // real time.
        try store.maintain()
        try await rest(store)
        let memory = ProcessMemory()
        let perSeries = Double(memory.anonymous - before.anonymous) / Double(seriesTotal)
        print("\(seriesTotal) series, \(samples) samples")
        print("memory: \(perSeries) bytes anonymous a series; file pages \(memory.file), peak \(memory.peak)")
        print("slabs: \(store.head.memoryBytes / seriesTotal) bytes a series")
        print("bytes written to files: \(Double(writtenBytes() - written) / Double(samples)) a sample")
        store.close()
        if !isKept { try place.remove() }
    }

    /// One batch after the views have gone: with it goes what was kept for them.
    private func rest(_ store: TSDB) async throws {
        var batch = SampleBatch()
        batch.append(["__name__": "rest"], place.clock.now(), 1)
        _ = try await store.append(batch)
    }

    /// Everything the process wrote, whether it reached the disk yet or not.
    private func writtenBytes() -> Int {
        let text = (try? PosixFileSystem().read("/proc/self/io", limit: 4096)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("wchar: ") }
        return line.flatMap { Int($0.dropFirst("wchar: ".count)) } ?? 0
    }

    /// Fills a store, leaves it as a kill would, and has another process open it.
    func restart() async throws {
        let store = try place.open()
        let samples = try await send(to: store)
        print("\(samples) samples in the head; peak before the end: \(ProcessMemory().peak)")
        fflush(nil)
        // As a kill: nothing is closed. The directory's lock goes with the process.
        let path = CommandLine.arguments[0]
        let arguments = [path, "reopen", "--directory", place.directory]
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        execv(path, &pointers)
        print("cannot start again: \(errno)")
    }

    func reopen() throws {
        let started = ContinuousClock.now
        place.clock.advance(by: 86_400_000)
        let store = try place.open()
        let seconds = started.duration(to: .now) / .seconds(1)
        let memory = ProcessMemory()
        print("open: \(seconds) s, anonymous \(memory.anonymous), file pages \(memory.file), peak \(memory.peak)")
        let sets = try store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())
        var samples = 0
        var buffer = SampleBuffer()
        for index in 0..<(sets.first?.count ?? 0) {
            buffer.removeAll()
            try sets[0].read(index, into: &buffer)
            samples += buffer.count
        }
        print("found: \(sets.first?.count ?? 0) series, \(samples) samples")
        store.close()
        try place.remove()
    }

    func disk() async throws {
        let store = try place.open()
        let samples = try await send(to: store)
        try store.maintain()
        let bytes = try size(of: FilePath.join(place.directory, "blocks"))
        let inBlocks = store.blockSampleCount
        print(
            "\(samples) samples, \(inBlocks) in blocks of \(bytes) bytes: \(Double(bytes) / Double(max(1, inBlocks)))")
        store.close()
        if !isKept { try place.remove() }
    }

    private func size(of path: String) throws -> Int {
        let files = PosixFileSystem()
        guard let names = try? files.list(path) else { return try files.size(path) }
        return try names.reduce(0) { try $0 + size(of: FilePath.join(path, $1)) }
    }
}
