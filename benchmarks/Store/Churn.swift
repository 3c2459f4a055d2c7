import BackendSeries
import HeadMemory
import SeriesModel
import StorageAPI
import TSDB

/// Series that live for a minute: 10,000 at a time, each with four samples and a stale marker.
struct Churn {
    private let seriesTotal: Int
    private let place: BenchmarkStore
    private static let together = 10_000

    init(_ arguments: Arguments) throws {
        seriesTotal = arguments.number("series", 1_000_000)
        place = try BenchmarkStore(nil)
    }

    func run() async throws {
        let store = try place.open()
        var made = 0
        while made < seriesTotal {
            let meter = Meter()
            var batch = SampleBatch()
            for index in 0..<Churn.together {
                let labels = LabelSet([
                    Label("__name__", "job_duration_seconds"), Label("instance", "runner-\(index % 50)"),
                    Label("job", "ci"), Label("run", "\(made + index)"),
                ])
                batch.append(labels, place.clock.now(), Double(index))
            }
            let refs = try await store.append(batch).refs.compactMap { $0 }
            for step in 1...4 {
                place.clock.advance(by: 15_000)
                batch.removeAll()
                for ref in refs { batch.append(ref, place.clock.now(), step == 4 ? StaleMarker.value : Double(step)) }
                _ = try await store.append(batch)
            }
            // Between two runs of jobs some time goes by.
            place.clock.advance(by: 540_000)
            made += Churn.together
            if made.isMultiple(of: seriesTotal / 10) {
                try store.maintain()
                let memory = ProcessMemory()
                meter.report("\(made) series so far", samples: Churn.together * 5)
                print(
                    "  in the head \(store.head.seriesCount), slots \(store.head.slotCount), pairs "
                        + "\(store.head.labelPairCount), slabs \(store.head.memoryBytes), anonymous \(memory.anonymous)"
                )
            }
        }
        store.close()
        try place.remove()
    }
}
