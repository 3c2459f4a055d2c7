import Foundation
import Logging
import PromQLTestKit
import RandomPromQL
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport

@testable import TSDB

/// A store on a simulated disk with the samples of random series. The lock and SQLite's files need a real directory,
/// which goes with the object.
final class StoreFixture {
    let store: TSDB
    private let directory: URL
    private let clock: ManualClock

    /// - Parameter blockRange: ms; what is more than one and a half of it becomes blocks at `cut`.
    init(blockRange: Int64) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "hearth-property-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        clock = ManualClock(now: RandomQueries.start)
        var options = TSDBOptions(
            directory: directory.path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            metrics: MetricsRegistry())
        options.clock = clock
        options.fileSystem = SimulatedFileSystem()
        options.blockRange = blockRange
        options.blockRangeMax = blockRange
        // Nothing happens by itself that a test did not ask for.
        options.syncInterval = 3_600_000
        options.maintainsItself = false
        store = try TSDB.open(options)
    }

    deinit {
        store.close()
        try? FileManager.default.removeItem(at: directory)
    }

    var blockCount: Int { store.blocks.all.count }

    /// Appends all samples, a batch for each time, as scrapes would bring them.
    func append(_ series: [RandomSeries]) async throws {
        var times: [Timestamp: SampleBatch] = [:]
        for one in series {
            for sample in one.samples {
                switch sample.value {
                case .float(let value):
                    times[sample.timestamp, default: SampleBatch()].append(one.labels, sample.timestamp, value)
                case .histogram(let value):
                    times[sample.timestamp, default: SampleBatch()].append(one.labels, sample.timestamp, value)
                }
            }
        }
        for (time, batch) in times.sorted(by: { $0.key < $1.key }) {
            clock.advance(to: max(clock.now(), time))
            let result = try await store.append(batch)
            guard result.rejected.isEmpty else { throw Refused(reasons: result.rejected.map { "\($0.reason)" }) }
        }
    }

    struct Refused: Error {
        let reasons: [String]
    }

    /// Moves what is old enough into blocks.
    func cut() throws { try store.maintain() }
}
