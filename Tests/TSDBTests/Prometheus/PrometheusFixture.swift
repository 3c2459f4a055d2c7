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
    /// The blocks end where the tests' clock begins. ms
    static let start = TestStore.start - 4 * hour

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

    /// A segment of one record: kind, length, checksum, content.
    static let segment: [UInt8] = {
        let record: [UInt8] = [200, 1, 2, 3]
        let checksum = CRC32C.checksum(record)
        return [1, 0, UInt8(record.count)] + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (24 - 8 * $0)) }
            + record
    }()

    /// Two blocks of two hours, a log with a checkpoint, head chunks, the list of queries; the lock file is on the
    /// machine's disk.
    static func write(_ disk: SimulatedFileSystem, _ directory: String) throws {
        if disk.exists(FilePath.join(directory, "wal")) { return }
        try block(disk, directory, older, TimeRange(min: start, max: start + 2 * hour))
        try block(disk, directory, newer, TimeRange(min: start + 2 * hour, max: start + 4 * hour))
        for folder in ["wal/checkpoint.00000003", "chunks_head"] { try disk.createDirectory(directory + "/" + folder) }
        disk.put(directory + "/wal/00000004", segment)
        disk.put(directory + "/wal/00000005", [])
        disk.put(directory + "/wal/checkpoint.00000003/00000000", segment)
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
