import HeadMemory
import SelfMetrics
import SeriesModel
package import StorageAPI
import Synchronization

extension TSDB: StorageStatus {
    package func headStatistics() -> HeadStatistics {
        head.gate.shared {
            var statistics = HeadStatistics()
            statistics.seriesCount = head.seriesCount
            statistics.labelPairCount = head.labelPairCount
            statistics.chunkCount = head.chunkCount
            statistics.range = head.range
            return statistics
        }
    }

    package func cardinality(limit: Int) -> Cardinality {
        var names: [LabelText: (values: Int, bytes: Int)] = [:]
        var metrics: [Cardinality.Row] = []
        var pairs: [Cardinality.Row] = []
        for (name, value, count) in HeadIndex(head).pairCounts() {
            names[LabelText(name), default: (0, 0)].values += 1
            names[LabelText(name), default: (0, 0)].bytes += value.utf8.count * count
            if name == Label.metricName { metrics.append(.init(name: value, value: count)) }
            pairs.append(.init(name: name + "=" + value, value: count))
        }
        func largest(_ rows: [Cardinality.Row]) -> [Cardinality.Row] {
            Array(rows.sorted { $0.value != $1.value ? $0.value > $1.value : $0.name < $1.name }.prefix(max(0, limit)))
        }
        var cardinality = Cardinality()
        cardinality.seriesCountByMetricName = largest(metrics)
        cardinality.seriesCountByLabelPair = largest(pairs)
        cardinality.valueCountByLabelName = largest(names.map { .init(name: $0.key.text, value: $0.value.values) })
        cardinality.memoryByLabelName = largest(names.map { .init(name: $0.key.text, value: $0.value.bytes) })
        return cardinality
    }

    /// Samples in the blocks that queries see; those that are in two are counted twice.
    package var blockSampleCount: Int { head.gate.shared { blocks.all.reduce(0) { $0 + $1.record.sampleCount } } }

    package var damages: [StorageDamage] { damage.known }

    package var problems: [StorageProblem] { health.problems }

    package var compactionDescription: String? {
        compacting.withLock { $0 }.map { status in
            "merging \(status.blocks.count) blocks (\(status.reason)), "
                + "\(Int64(clamping: metrics.compactionProgress.value * 100) ?? 0) %"
        }
    }

    package var retentionDescription: String { retention.description }

    package var corruptionCount: Int { corruptions.load(ordering: .relaxed) }
}
