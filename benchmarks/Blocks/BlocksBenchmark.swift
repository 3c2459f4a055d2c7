import BackendSeries
import Blocks
import ChunkEncoding
import FileIO
import SeriesModel
import StorageAPI

#if canImport(Glibc)
    import Glibc
#endif

/// What blocks cost: backend-like series at 15 s, written as one block, then read series by series, on one thread. Bytes
/// are those of all files of the block.
@main
struct BlocksBenchmark {
    private static let interval: Int64 = 15_000
    private static let instances = 10

    static func main() throws {
        let hours = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        print(
            "\(instances * BackendLayout.seriesPerInstance) series at 15 s; M samples/s of CPU on one thread, best of 5"
        )
        for hours in hours.isEmpty ? [2, 24] : hours {
            try measure(hours: hours, jitter: 0, isExported: true)
            try measure(hours: hours, jitter: 3, isExported: true)
            try measure(hours: hours, jitter: 0, isExported: false)
        }
    }

    private static func measure(hours: Int, jitter: Int64, isExported: Bool) throws {
        let load = BackendBlock(
            instances: instances, hours: hours, interval: interval, jitter: jitter, isExported: isExported)
        let directory = "/tmp/hearth-blocks-benchmark-\(getpid())"
        let files = PosixFileSystem()
        defer { try? files.remove(directory) }
        let identifier = BlockIdentifier(timestamp: load.range.max)
        var samples = SampleBuffer()
        let started = seconds()
        var writer = try BlockWriter(
            fileSystem: files, directory: directory, identifier: identifier, range: load.range, lsn: 1)
        for series in load.series {
            samples.removeAll()
            load.read(series, into: &samples)
            try writer.addSeries(series.labels, samples)
        }
        let footer = try writer.finish()
        let writing = seconds() - started
        let chunks = chunkBytes(load)
        let count = Double(footer.sampleCount)
        print(
            "\(hours) h, timestamps \(jitter == 0 ? "regular" : "+-\(jitter) ms"), "
                + "\(isExported ? "gauges as exported" : "all gauges of full precision"): \(footer.sampleCount) samples"
        )
        print(
            "  bytes/sample \(decimal(Double(footer.bytes) / count)) (index \(decimal(Double(footer.indexBytes) / count)))"
        )
        print("  as XOR chunks of 120, without index \(decimal(Double(chunks) / count))")
        print("  write        \(decimal(count / writing / 1e6))")
        let reader = try BlockReader(fileSystem: files, path: directory + "/" + identifier.description)
        let order = reader.allPostings()
        report("read, in order", reader, order, .all)
        report("read, shuffled", reader, shuffled(order), .all)
        let end = load.range.max - 1
        report("read, last hour", reader, shuffled(order), TimeRange(min: end - 3_600_000, max: end))
        try check(load, reader)
    }

    private static func report(_ name: String, _ reader: BlockReader, _ order: [UInt32], _ range: TimeRange) {
        var samples = SampleBuffer()
        var best = Double.infinity
        var count = 0
        for _ in 0..<5 {
            count = 0
            let started = seconds()
            for series in order {
                samples.removeAll()
                guard (try? reader.read(series: series, range: range, into: &samples)) != nil else {
                    preconditionFailure("series \(series) cannot be read")
                }
                count += samples.count
            }
            best = min(best, seconds() - started)
        }
        let perSeries = best / Double(max(1, order.count)) * 1e6
        print("  \(name)  \(decimal(Double(count) / best / 1e6)), \(decimal(perSeries)) µs a series")
    }

    /// What the head, and Prometheus, would take for the chunks alone.
    private static func chunkBytes(_ load: BackendBlock) -> Int {
        var samples = SampleBuffer()
        var bytes = 0
        for series in load.series {
            samples.removeAll()
            load.read(series, into: &samples)
            for start in stride(from: 0, to: samples.count, by: 120) {
                let part = start..<min(start + 120, samples.count)
                bytes += XORAppender.encode(timestamps: samples.timestamps[part], values: samples.values[part]).count
            }
        }
        return bytes
    }

    /// Speed of wrong samples is of no interest.
    private static func check(_ load: BackendBlock, _ reader: BlockReader) throws {
        var expected = SampleBuffer()
        var found = SampleBuffer()
        for (number, series) in load.series.enumerated() {
            expected.removeAll()
            found.removeAll()
            load.read(series, into: &expected)
            try reader.read(series: UInt32(number), into: &found)
            precondition(found.timestamps == expected.timestamps, "timestamps of \(series.labels)")
            precondition(found.values == expected.values, "values of \(series.labels)")
        }
    }

    private static func shuffled(_ order: [UInt32]) -> [UInt32] {
        var random = SeededRandom(seed: 7)
        var order = order
        for index in order.indices.dropFirst() {
            order.swapAt(index, Int(random.next() % UInt64(index + 1)))
        }
        return order
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func decimal(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

/// The samples of a block in memory.
struct BackendBlock {
    struct Series {
        var labels: LabelSet
        /// A column of values, and which part of it.
        var column: Int
        var steps: Range<Int>
    }

    let range: TimeRange
    private(set) var series: [Series] = []
    private var columns: [[Double]] = []
    /// Of each instance.
    private var timestamps: [[Timestamp]] = []

    /// - Parameter isExported: gauges with as many digits as exporters give them, most of them seldom changing; otherwise
    ///   with full precision.
    init(instances: Int, hours: Int, interval: Int64, jitter: Int64, isExported: Bool) {
        let length = Int64(hours) * 3_600_000
        let start = 1_763_900_000_000 / length * length
        range = TimeRange(min: start, max: start + length)
        let steps = Int(length / interval)
        var random = SeededRandom(seed: 11)
        for instance in 0..<instances {
            let offset = Int64(random.unit() * Double(interval - 2 * jitter)) + jitter
            timestamps.append(
                (0..<steps).map {
                    start + offset + Int64($0) * interval
                        + (jitter == 0 ? 0 : Int64(random.next() % UInt64(2 * jitter + 1)) - jitter)
                })
            for (group, labels) in BackendLayout.groups(instance: instance) {
                for labels in labels {
                    addSeries(labels, group, instance, steps)
                    columns.append([])
                }
            }
        }
        series.sort { $0.labels < $1.labels }
        var values = BackendValues(instances: instances, seed: 1)
        for column in columns.indices { columns[column].reserveCapacity(steps) }
        for _ in 0..<steps {
            values.advance()
            for (column, value) in values.values.enumerated() { columns[column].append(value) }
        }
        guard isExported else { return }
        let groups = BackendLayout.groups(instance: 0).flatMap { group, labels in labels.map { _ in group } }
        for column in columns.indices {
            guard case .measurement = groups[column % BackendLayout.seriesPerInstance] else { continue }
            export(column)
        }
    }

    private mutating func export(_ column: Int) {
        let first = columns[column][0]
        for index in columns[column].indices {
            let value = columns[column][index]
            switch column % 8 {
            case 0: break
            case 1, 2: columns[column][index] = (value * 10).rounded() / 10
            case 3: columns[column][index] = (value * 100).rounded() / 100
            case 4: columns[column][index] = (value * 10_000).rounded() / 10_000
            case 5: columns[column][index] = value.rounded()
            default: columns[column][index] = first.rounded()
            }
        }
    }

    /// A worker's slot has one series after the other.
    private mutating func addSeries(_ labels: LabelSet, _ group: BackendLayout.Group, _ instance: Int, _ steps: Int) {
        guard case .worker(let slot) = group else {
            series.append(Series(labels: labels, column: columns.count, steps: 0..<steps))
            return
        }
        var first = 0
        while first < steps {
            let generation = BackendValues.workerGeneration(instance: instance, slot: slot, step: first + 1)
            var end = first
            while end < steps,
                BackendValues.workerGeneration(instance: instance, slot: slot, step: end + 1) == generation
            { end += 1 }
            series.append(
                Series(
                    labels: BackendLayout.worker(slot, generation: generation, instance), column: columns.count,
                    steps: first..<end))
            first = end
        }
    }

    func read(_ series: Series, into samples: inout SampleBuffer) {
        samples.timestamps += timestamps[series.column / BackendLayout.seriesPerInstance][series.steps]
        samples.values += columns[series.column][series.steps]
    }
}
