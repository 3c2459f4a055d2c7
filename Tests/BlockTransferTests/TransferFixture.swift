import BlockTransfer
import Blocks
import ByteCoding
import FileIO
import PrometheusBlocks
import SeriesModel
import TestSupport

enum TransferFixture {
    /// Series of floats, of histograms and of both, over some hours.
    static func rows(_ count: Int, hours: Int, seed: UInt64 = 4) -> [(labels: LabelSet, samples: SampleBuffer)] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { index in
            let labels = LabelSet([Label("__name__", "m\(index % 3)"), Label("i", "\(index)")])
            var samples = SampleBuffer()
            var last: NativeHistogram?
            var time = Timestamp(random.below(600_000))
            while time < Timestamp(hours) * 3_600_000 {
                if index % 4 == 1 || index % 4 == 2 && random.chance(20) {
                    let next = Histograms.next(after: last, using: &random)
                    last = next.isStale ? nil : next
                    samples.append(time, next)
                } else {
                    samples.append(time, random.pick([1, 2, Double(time), StaleMarker.value]))
                }
                time += random.pick([60_000, 60_000, 61_000])
            }
            return (labels, samples)
        }
    }

    /// As it stands in Prometheus' files.
    static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        let checksum = CRC32C.checksum(bytes)
        return (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt32($0))) }
    }

    /// All samples of the blocks in our data directory.
    static func content(_ disk: any FileSystem, _ directory: String) throws -> [LabelSet: [MixedSample]] {
        var content: [LabelSet: [MixedSample]] = [:]
        let (blocks, leftovers) = try BlockDirectory.list(
            fileSystem: disk, directory: BlockDirectory.path(in: directory))
        precondition(leftovers.isEmpty, "leftovers: \(leftovers)")
        for path in blocks {
            let reader = try BlockReader(fileSystem: disk, path: path)
            for series in reader.allPostings() {
                var buffer = SampleBuffer()
                try reader.read(series: series, into: &buffer)
                content[try reader.labels(of: series), default: []] += buffer.mixed
            }
        }
        return content.mapValues { $0.sorted { $0.timestamp < $1.timestamp } }
    }

    /// All samples of the blocks in a data directory of Prometheus'.
    static func prometheusContent(_ disk: any FileSystem, _ directory: String) throws -> [LabelSet: [MixedSample]] {
        var content: [LabelSet: [MixedSample]] = [:]
        for (path, _) in try PrometheusDirectory(fileSystem: disk, path: directory).blocks() {
            let block = try PrometheusBlock(fileSystem: disk, path: path)
            for series in try block.allPostings() {
                var buffer = SampleBuffer()
                try block.read(series: series, into: &buffer)
                content[try block.labels(of: series), default: []] += buffer.mixed
            }
        }
        return content.mapValues { $0.sorted { $0.timestamp < $1.timestamp } }
    }

    /// All files below a directory.
    static func files(_ disk: SimulatedFileSystem, _ directory: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try disk.list(directory) {
            let path = FilePath.join(directory, name)
            if let bytes = disk.bytes(path) {
                files[path] = bytes
            } else {
                files.merge(try self.files(disk, path)) { $1 }
            }
        }
        return files
    }

    static func content(_ rows: [(labels: LabelSet, samples: SampleBuffer)]) -> [LabelSet: [MixedSample]] {
        Dictionary(uniqueKeysWithValues: rows.map { ($0.labels, $0.samples.mixed) })
    }
}
