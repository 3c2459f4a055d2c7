import SelfMetrics
import SeriesModel
import StorageAPI
import Testing

@testable import TSDB

@Suite("Status")
struct StatusTests {
    private func filled() async throws -> TestStore {
        let test = try TestStore { options in
            options.retentionTime = 30 * 86_400_000
            options.retentionSize = 10 << 30
        }
        try await test.append([
            (["__name__": "up", "job": "a"], TestStore.start, 1),
            (["__name__": "up", "job": "bb"], TestStore.start, 1),
            (["__name__": "m", "job": "bb"], TestStore.start + 5, 1),
        ])
        return test
    }

    @Test("The head's statistics count series, pairs and chunks")
    func head() async throws {
        let test = try await filled()
        let statistics = test.store.headStatistics()
        #expect(statistics.seriesCount == 3)
        #expect(statistics.labelPairCount == 4)
        #expect(statistics.chunkCount == 3)
        #expect(statistics.range == TimeRange(min: TestStore.start, max: TestStore.start + 5))
        #expect(test.store.retentionDescription == "30d or 10GiB")
        #expect(test.store.corruptionCount == 0)
    }

    @Test("Cardinality lists the largest first")
    func cardinality() async throws {
        let cardinality = try await filled().store.cardinality(limit: 2)
        #expect(cardinality.seriesCountByMetricName == [.init(name: "up", value: 2), .init(name: "m", value: 1)])
        #expect(cardinality.valueCountByLabelName == [.init(name: "__name__", value: 2), .init(name: "job", value: 2)])
        #expect(cardinality.memoryByLabelName == [.init(name: "__name__", value: 5), .init(name: "job", value: 5)])
        #expect(
            cardinality.seriesCountByLabelPair
                == [.init(name: "__name__=up", value: 2), .init(name: "job=bb", value: 2)])
    }

    @Test("Every metric that dashboards and alerts read is there from the start")
    func metricNames() throws {
        let test = try TestStore()
        let exposition = test.metrics.exposition()
        let names = """
            reloads_failures_total compactions_failed_total head_samples_appended_total clean_start
            head_series head_chunks head_min_time head_max_time head_min_time_seconds head_max_time_seconds
            head_series_created_total head_series_removed_total head_series_not_found_total head_chunks_created_total
            head_chunks_removed_total head_chunks_storage_size_bytes head_gc_duration_seconds_sum
            head_truncations_total head_truncations_failed_total head_active_appenders head_stale_series
            head_out_of_order_samples_appended_total blocks_loaded storage_blocks_bytes symbol_table_size_bytes
            lowest_timestamp lowest_timestamp_seconds retention_limit_bytes retention_limit_seconds
            size_retentions_total time_retentions_total reloads_total tombstone_cleanup_seconds_sum
            data_replay_duration_seconds compactions_total compactions_triggered_total compactions_skipped_total
            compaction_duration_seconds_sum compaction_chunk_range_seconds_sum compaction_chunk_samples_sum
            compaction_chunk_size_bytes_sum vertical_compactions_total wal_fsync_duration_seconds_sum
            wal_page_flushes_total wal_completed_pages_total wal_truncations_total wal_truncations_failed_total
            wal_truncate_duration_seconds_sum wal_corruptions_total wal_writes_failed_total wal_segment_current
            wal_storage_size_bytes checkpoint_creations_total checkpoint_creations_failed_total
            checkpoint_deletions_total checkpoint_deletions_failed_total mmap_chunk_corruptions_total
            wal_replay_unknown_refs_total out_of_order_samples_total out_of_bound_samples_total too_old_samples_total
            sample_ooo_delta_sum exemplar_exemplars_appended_total exemplar_exemplars_in_storage
            exemplar_series_with_exemplars_in_storage exemplar_max_exemplars exemplar_last_exemplars_timestamp_seconds
            exemplar_out_of_order_exemplars_total
            """
        let lines = exposition.split(separator: "\n")
        for name in names.split(whereSeparator: \.isWhitespace) {
            let full = "prometheus_tsdb_" + name
            #expect(lines.contains { $0.hasPrefix(full + " ") || $0.hasPrefix(full + "{") }, "\(full)")
        }
        for type in ["float", "histogram"] {
            #expect(lines.contains { $0 == "prometheus_tsdb_head_samples_appended_total{type=\"\(type)\"} 0" })
        }
    }
}
