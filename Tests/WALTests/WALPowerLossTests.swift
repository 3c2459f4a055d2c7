import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import TestSupport
import Testing

@testable import WAL

@Suite("The log and a loss of power")
struct WALPowerLossTests {
    /// Slot and timestamp of a sample, and the bits of its value.
    private typealias Samples = [SampleKey: UInt64]

    private struct SampleKey: Hashable {
        var slot: UInt32
        var timestamp: Timestamp
    }

    private static func add(_ batch: LogBatch, to samples: inout Samples) {
        for index in 0..<batch.count {
            samples[SampleKey(slot: batch.slots[index], timestamp: batch.timestamps[index])] =
                batch.values[index].bitPattern
        }
    }

    private static func everything(_ batches: Range<Int>) -> Samples {
        var samples: Samples = [:]
        for number in batches { add(WALFixture.batch(number), to: &samples) }
        return samples
    }

    /// A random history of appends, syncs, cuts and checkpoints, ended by a power cut.
    @Test("nothing synced is lost, nothing is invented, and the log goes on", arguments: 0..<300 as Range<UInt64>)
    func history(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var disk = SimulatedFileSystem()
        var written = 0
        var synced = 0
        for _ in 0..<3 {
            let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: LSN(written) + 1)
            for _ in 0..<Int.random(in: 1...25, using: &random) {
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    _ = try log.cutSegment()
                case 1, 2:
                    try log.sync()
                    synced = written
                case 3:
                    let segment = try log.cutSegment()
                    var writer = try CheckpointWriter(
                        fileSystem: disk, directory: WALFixture.directory, lsn: LSN(written), firstSegment: segment)
                    for number in 0..<written { try writer.add(WALFixture.batch(number)) }
                    _ = try writer.finish()
                    synced = written
                    try log.removeSegments(before: segment)
                default:
                    try WALFixture.append(written..<written + 1, to: log)
                    written += 1
                }
            }
            disk = disk.losePower(using: &random)
            var found: Samples = [:]
            let report = try LogReplay.replay(fileSystem: disk, directory: WALFixture.directory) { _, batch in
                WALPowerLossTests.add(batch, to: &found)
            }
            let all = WALPowerLossTests.everything(0..<written)
            let promised = WALPowerLossTests.everything(0..<synced)
            #expect(promised.allSatisfy { found[$0.key] == $0.value }, "seed \(seed): a synced sample is lost")
            #expect(found.allSatisfy { all[$0.key] == $0.value }, "seed \(seed): a sample nobody wrote")
            #expect(report.lastLSN >= synced)
            // What was lost is written again by the continued history.
            written = Int(report.lastLSN)
            if found != WALPowerLossTests.everything(0..<written) { return }
            synced = min(synced, written)
        }
    }
}
