import ByteCoding
import FileIO
import PrometheusBlocks
import SeriesModel
import TestSupport

@testable import TSDB

/// What a stopped Prometheus leaves in its data directory.
enum PrometheusFixture {
    static let older = "01HV0000000000000000000001"
    static let newer = "01HV0000000000000000000002"
    static let hour = TestStore.hour
    /// The blocks end where the log's samples begin. ms
    static let start = TestStore.start - 4 * hour - 600_000

    static let series: [LabelSet] = [
        ["__name__": "m", "i": "a"], ["__name__": "m", "i": "b", "zone": "z"], ["__name__": "n", "i": "a"],
    ]

    /// A sample a minute, with one value in all blocks.
    static func samples(_ series: Int, _ range: TimeRange) -> SampleBuffer {
        var samples = SampleBuffer()
        for time in stride(from: range.min, to: range.max, by: 60_000) {
            samples.append(time, Double(series) + Double(time / 60_000 % 1000))
        }
        return samples
    }

    static func block(_ disk: any FileSystem, _ directory: String, _ name: String, _ range: TimeRange) throws {
        var writer = try PrometheusBlockWriter(
            fileSystem: disk, directory: directory, identifier: name, range: range)
        for (number, labels) in series.enumerated() {
            try writer.addSeries(labels, chunks: SampleChunks.cut(samples(number, range)))
        }
        _ = try writer.finish()
    }

    /// A segment of whole records that fit into one page: kind, length, checksum, content.
    static func segment(_ records: [[UInt8]]) -> [UInt8] {
        var segment = ByteBuilder()
        for record in records {
            segment.append(UInt8(1))
            segment.appendBigEndian(UInt16(record.count))
            segment.appendBigEndian(CRC32C.checksum(record))
            segment.append(contentsOf: record)
        }
        return segment.bytes
    }

    /// Announces the series, numbered from 1.
    private static let announcement: [UInt8] = {
        var record = ByteBuilder()
        record.append(UInt8(1))
        for (number, labels) in series.enumerated() {
            record.appendBigEndian(UInt64(number + 1))
            record.appendVarint(labels.count)
            for label in labels {
                record.appendSized(Array(label.name.utf8))
                record.appendSized(Array(label.value.utf8))
            }
        }
        return record.bytes
    }()

    /// The samples of a time of all series, as a record of the log.
    private static func record(_ range: TimeRange) -> [UInt8] {
        var record = ByteBuilder()
        record.append(UInt8(2))
        record.appendBigEndian(UInt64(1))
        record.appendBigEndian(range.min)
        for number in series.indices {
            let samples = samples(number, range)
            for (time, value) in zip(samples.timestamps, samples.values) {
                record.appendZigzag(Int64(number))
                record.appendZigzag(time - range.min)
                record.appendBigEndian(value.bitPattern)
            }
        }
        return record.bytes
    }

    /// A record that says of a series that a range was deleted.
    static func deletion(of series: Int, _ range: TimeRange) -> [UInt8] {
        var record = ByteBuilder()
        record.append(UInt8(3))
        record.appendBigEndian(UInt64(series + 1))
        record.appendZigzag(range.min)
        record.appendZigzag(range.max)
        return record.bytes
    }

    /// What the log has that the blocks have not: the ten minutes before the tests' clock begins. ms
    static let logRange = TimeRange(min: TestStore.start - 600_000, max: TestStore.start)

    /// Two blocks of two hours, a log with a checkpoint, head chunks, the list of queries; the lock file is on the
    /// machine's disk.
    static func write(_ disk: SimulatedFileSystem, _ directory: String) throws {
        if disk.exists(FilePath.join(directory, "chunks_head")) { return }
        try block(disk, directory, older, TimeRange(min: start, max: start + 2 * hour))
        try block(disk, directory, newer, TimeRange(min: start + 2 * hour, max: start + 4 * hour))
        for folder in ["wal/checkpoint.00000003", "chunks_head"] { try disk.createDirectory(directory + "/" + folder) }
        // The first is in a block already.
        let middle = logRange.min + 300_000
        let records = [
            record(TimeRange(min: logRange.min - 60_000, max: middle)),
            record(TimeRange(min: middle, max: logRange.max)),
        ]
        disk.put(directory + "/wal/00000004", segment(records))
        disk.put(directory + "/wal/00000005", [])
        disk.put(directory + "/wal/checkpoint.00000003/00000000", segment([announcement]))
        disk.put(directory + "/chunks_head/000001", [1, 2, 3])
        disk.put(directory + "/queries.active", [0x5B, 0, 0])
    }

    /// A store on such a directory.
    static func store(_ adjust: @escaping (inout TSDBOptions) -> Void = { _ in }) throws -> TestStore {
        try TestStore { options in
            if let disk = options.fileSystem as? SimulatedFileSystem { try? write(disk, options.directory) }
            adjust(&options)
        }
    }

    /// What such a store has to answer.
    static func contents(_ range: TimeRange = TimeRange(min: start, max: TestStore.start)) -> [LabelSet: [Sample]] {
        var contents: [LabelSet: [Sample]] = [:]
        for (number, labels) in series.enumerated() {
            let samples = samples(number, range)
            contents[labels] = zip(samples.timestamps, samples.values).map { Sample($0, $1) }
        }
        return contents
    }

    /// The files of a data directory that are Prometheus'.
    static func files(_ disk: SimulatedFileSystem, _ directory: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        func gather(_ path: String) throws {
            if let bytes = disk.bytes(path) {
                files[path] = bytes
                return
            }
            for name in try disk.list(path) { try gather(FilePath.join(path, name)) }
        }
        for name in [older, newer, "wal", "chunks_head", "queries.active"] {
            let path = FilePath.join(directory, name)
            if disk.exists(path) { try gather(path) }
        }
        return files
    }
}
