import Blocks
import HeadMemory
import SelfMetrics
import SeriesModel
import StorageAPI
import WAL

/// The store's own metrics, under Prometheus' names (inventory 9.1 and 9.2) where the meaning is the same. All of them
/// are there from the start, with zero where nothing happened or nothing can happen yet.
struct TSDBMetrics: Sendable {
    // The head.
    let appended: Counter
    let appendedHistograms: Counter
    let seriesCreated: Counter
    let seriesRemoved: Counter
    let seriesNotFound: Counter
    let chunksCreated: Counter
    let chunksRemoved: Counter
    let truncations: Counter
    // Refused samples.
    let outOfOrder: Counter
    let outOfBounds: Counter
    let tooOld: Counter
    let outOfOrderHistograms: Counter
    let outOfBoundsHistograms: Counter
    let tooOldHistograms: Counter
    let duplicates: Counter
    // Exemplars.
    let exemplarsAppended: Counter
    let exemplarsOutOfOrder: Counter
    let invalidHistograms: Counter
    // Blocks.
    let compactionsTriggered: Counter
    let compactions: Counter
    let compactionFailures: Counter
    let compactionsSkipped: Counter
    let verticalCompactions: Counter
    let compactionsResumed: Counter
    let compactionProgress: Gauge
    let quarantinedBlocks: Gauge
    let staleSeries: Gauge
    let heldLog: Gauge
    let compactionDuration: Histogram
    private let chunkRange: Histogram
    private let chunkSamples: Histogram
    private let chunkBytes: Histogram
    let timeRetentions: Counter
    let sizeRetentions: Counter
    let blocksShed: Counter
    let reloads: Counter
    let reloadFailures: Counter
    // The log.
    let checkpoints: Counter
    let checkpointFailures: Counter
    let checkpointDeletions: Counter
    let walTruncations: Counter
    let walTruncationFailures: Counter
    let walTruncateDuration: Summary
    let walWriteFailures: Counter
    let chunkWriteFailures: Counter
    let headChunkCorruptions: Counter
    let headGarbageDuration: Summary
    let outOfOrderAppended: Counter
    let outOfOrderAppendedHistograms: Counter
    let walCorruptions: Counter
    let fsyncDuration: Summary
    let replayDuration: Gauge
    let unknownSlots: Counter
    let unknownHistogramSlots: Counter
    let unknownTombstones: Counter
    let tombstoneCleanupDuration: Histogram
    let cleanStart: Gauge
    private let registry: MetricsRegistry

    private static let prefix = "prometheus_tsdb_"

    init(_ registry: MetricsRegistry) {
        func counter(_ name: String, _ help: String, _ labels: [(String, String)] = []) -> Counter {
            registry.counter(TSDBMetrics.prefix + name, help, labels)
        }
        func histogram(_ name: String, _ help: String, _ buckets: [Double]) -> Histogram {
            registry.histogram(TSDBMetrics.prefix + name, help, buckets: buckets)
        }
        self.registry = registry
        let float = [("type", "float")]
        let histograms = [("type", "histogram")]
        appended = counter("head_samples_appended_total", "Samples appended.", float)
        appendedHistograms = counter("head_samples_appended_total", "Samples appended.", histograms)
        seriesCreated = counter("head_series_created_total", "Series created in the head.")
        seriesRemoved = counter("head_series_removed_total", "Series removed from the head.")
        seriesNotFound = counter("head_series_not_found_total", "Samples whose series was not found.")
        chunksCreated = counter("head_chunks_created_total", "Chunks created in the head.")
        chunksRemoved = counter("head_chunks_removed_total", "Chunks removed from the head.")
        truncations = counter("head_truncations_total", "Truncations of the head.")
        outOfOrder = counter("out_of_order_samples_total", "Samples refused as out of order.", float)
        outOfBounds = counter("out_of_bound_samples_total", "Samples refused as out of bounds.", float)
        tooOld = counter("too_old_samples_total", "Samples refused as too old.", float)
        outOfOrderHistograms = counter("out_of_order_samples_total", "Samples refused as out of order.", histograms)
        outOfBoundsHistograms = counter("out_of_bound_samples_total", "Samples refused as out of bounds.", histograms)
        tooOldHistograms = counter("too_old_samples_total", "Samples refused as too old.", histograms)
        invalidHistograms = registry.counter(
            "hearth_tsdb_invalid_histograms_total", "Histograms refused as their parts do not fit each other.")
        duplicates = registry.counter(
            "hearth_tsdb_duplicate_samples_total", "Samples refused for another value at the same timestamp.")
        exemplarsAppended = counter("exemplar_exemplars_appended_total", "Exemplars appended.")
        exemplarsOutOfOrder = counter(
            "exemplar_out_of_order_exemplars_total", "Exemplars refused as out of order.")
        compactionsTriggered = counter("compactions_triggered_total", "Blocks begun.")
        compactions = counter("compactions_total", "Blocks written.")
        compactionFailures = counter("compactions_failed_total", "Blocks that could not be written.")
        compactionsSkipped = counter("compactions_skipped_total", "Merges that had no room.")
        verticalCompactions = counter("vertical_compactions_total", "Merges of blocks that overlap.")
        compactionsResumed = registry.counter(
            "hearth_tsdb_compactions_resumed_total", "Merges that went on after a restart.")
        compactionProgress = registry.gauge(
            "hearth_tsdb_compaction_progress_ratio", "How much of the merge under way is done; 0 for none.")
        quarantinedBlocks = registry.gauge(
            "hearth_tsdb_quarantined_blocks", "Blocks that were set aside as damaged since the start.")
        heldLog = registry.gauge(
            "hearth_tsdb_log_held_bytes", "What of the log is kept only as remote write has not passed it.")
        staleSeries = registry.gauge(
            TSDBMetrics.prefix + "head_stale_series",
            "Series whose newest sample is a stale marker, as of the last round of maintenance.")
        compactionDuration = histogram(
            "compaction_duration_seconds", "Time to write a block.",
            [0.1, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
        chunkRange = histogram(
            "compaction_chunk_range_seconds", "Time span of the chunks written into blocks.",
            (0..<10).map { 100 * Double(1 << (2 * $0)) })
        chunkSamples = histogram(
            "compaction_chunk_samples", "Samples of the chunks written into blocks.",
            [4, 6, 9, 13.5, 20.25, 30.375, 45.5625, 68.34375, 102.515625, 153.7734375, 230.66015625, 345.990234375])
        chunkBytes = histogram(
            "compaction_chunk_size_bytes", "Size of the chunks written into blocks.",
            [32, 48, 72, 108, 162, 243, 364.5, 546.75, 820.125, 1230.1875, 1845.28125, 2767.921875])
        timeRetentions = counter("time_retentions_total", "Blocks deleted for their age.")
        sizeRetentions = counter("size_retentions_total", "Blocks deleted for space.")
        blocksShed = registry.counter(
            "hearth_tsdb_blocks_shed_total", "Blocks deleted before their time, as the disk was full.")
        reloads = counter("reloads_total", "Changes of the set of blocks.")
        reloadFailures = counter("reloads_failures_total", "Changes of the set of blocks that failed.")
        checkpoints = counter("checkpoint_creations_total", "Checkpoints begun.")
        checkpointFailures = counter("checkpoint_creations_failed_total", "Checkpoints that failed.")
        checkpointDeletions = counter("checkpoint_deletions_total", "Removals of what a checkpoint replaces.")
        walTruncations = counter("wal_truncations_total", "Truncations of the log.")
        walTruncationFailures = counter("wal_truncations_failed_total", "Truncations of the log that failed.")
        walTruncateDuration = registry.summary(
            TSDBMetrics.prefix + "wal_truncate_duration_seconds", "Time to make a checkpoint and truncate the log.")
        walWriteFailures = counter("wal_writes_failed_total", "Batches that could not be logged.")
        chunkWriteFailures = registry.counter(
            "hearth_tsdb_head_chunk_writes_failed_total", "Attempts to write head chunks that failed.")
        headChunkCorruptions = counter("mmap_chunk_corruptions_total", "Damaged head chunks met.")
        headGarbageDuration = registry.summary(
            TSDBMetrics.prefix + "head_gc_duration_seconds", "Time of the head's truncations.")
        outOfOrderAppended = counter(
            "head_out_of_order_samples_appended_total", "Out-of-order samples appended.", float)
        outOfOrderAppendedHistograms = counter(
            "head_out_of_order_samples_appended_total", "Out-of-order samples appended.", histograms)
        walCorruptions = counter("wal_corruptions_total", "Damaged places found in the log.")
        fsyncDuration = registry.summary(
            TSDBMetrics.prefix + "wal_fsync_duration_seconds", "Time to sync the log.", quantiles: [0.5, 0.9, 0.99])
        replayDuration = registry.gauge(
            TSDBMetrics.prefix + "data_replay_duration_seconds", "Time the replay took.")
        unknownSlots = counter(
            "wal_replay_unknown_refs_total", "Records of unknown series met in the replay.", [("type", "samples")])
        unknownHistogramSlots = counter(
            "wal_replay_unknown_refs_total", "Records of unknown series met in the replay.",
            [("type", "histograms")])
        unknownTombstones = counter(
            "wal_replay_unknown_refs_total", "Records of unknown series met in the replay.",
            [("type", "tombstones")])
        tombstoneCleanupDuration = histogram(
            "tombstone_cleanup_seconds", "Time to rewrite blocks without what was deleted.", [])
        cleanStart = registry.gauge(
            TSDBMetrics.prefix + "clean_start",
            "-1: lockfile is disabled. 0: the data directory was not closed in order. 1: it was.")
        TSDBMetrics.registerConstants(registry)
    }

    /// What dashboards and alerts read, and what cannot happen here: a truthful zero keeps them alive.
    private static func registerConstants(_ registry: MetricsRegistry) {
        let counters: [(name: String, help: String, labels: [(String, String)])] = [
            ("head_truncations_failed_total", "Truncations of the head that failed.", []),
            ("checkpoint_deletions_failed_total", "Removals of what a checkpoint replaces that failed.", []),
            ("wal_page_flushes_total", "Pages flushed.", []),
            ("wal_completed_pages_total", "Pages completed.", []),
            ("wal_replay_unknown_refs_total", "Records of unknown series met in the replay.", [("type", "series")]),
            ("wal_replay_unknown_refs_total", "Records of unknown series met in the replay.", [("type", "exemplars")]),
            ("wal_replay_unknown_refs_total", "Records of unknown series met in the replay.", [("type", "metadata")]),
        ]
        for (name, help, labels) in counters { _ = registry.counter(prefix + name, help, labels) }
        let gauges = [
            ("head_active_appenders", "Appenders in use.")
        ]
        for (name, help) in gauges { _ = registry.gauge(prefix + name, help) }
        _ = registry.histogram(
            prefix + "sample_ooo_delta", "How far out-of-order samples are behind. Seconds.",
            buckets: [600, 1800, 3600, 7200, 10_800, 21_600, 43_200])
    }

    /// - Parameters:
    ///   - batch: what the result is of.
    ///   - stored: what of it was logged.
    func count(_ result: AppendResult, of batch: SampleBatch, stored: LogBatch) {
        appended.increment(by: Double(stored.count - stored.histograms.count))
        if !stored.histograms.isEmpty { appendedHistograms.increment(by: Double(stored.histograms.count)) }
        if !stored.outOfOrderRows.isEmpty {
            let histogramRows = Set(stored.histogramRows)
            let late = stored.outOfOrderRows.filter { histogramRows.contains($0) }.count
            outOfOrderAppended.increment(by: Double(stored.outOfOrderRows.count - late))
            outOfOrderAppendedHistograms.increment(by: Double(late))
        }
        if result.exemplarsAccepted > 0 { exemplarsAppended.increment(by: Double(result.exemplarsAccepted)) }
        if result.exemplarsOutOfOrder > 0 { exemplarsOutOfOrder.increment(by: Double(result.exemplarsOutOfOrder)) }
        if result.seriesCreated > 0 { seriesCreated.increment(by: Double(result.seriesCreated)) }
        if result.rejected.isEmpty { return }
        let histogramRows = Set(batch.histogramRows)
        for (sample, reason) in result.rejected {
            let isHistogram = histogramRows.contains(sample)
            switch reason {
            case .duplicateTimestamp: duplicates.increment()
            case .outOfOrder: (isHistogram ? outOfOrderHistograms : outOfOrder).increment()
            case .tooOld: (isHistogram ? tooOldHistograms : tooOld).increment()
            case .outOfBounds: (isHistogram ? outOfBoundsHistograms : outOfBounds).increment()
            case .unknownSeries: seriesNotFound.increment()
            case .invalidHistogram: invalidHistograms.increment()
            }
        }
    }

    /// A series goes into a block.
    func observe(_ samples: SampleBuffer) {
        guard let oldest = samples.oldest(), let newest = samples.newest() else { return }
        chunkRange.observe(Double(newest.subtractingClamped(oldest)) / 1000)
        chunkSamples.observe(Double(samples.count + samples.histograms.count))
    }

    /// Before each exposition.
    func collect(_ publish: @escaping @Sendable () -> Void) { registry.onCollect(publish) }

    func set(_ name: String, _ help: String, _ value: Double) {
        registry.gauge(TSDBMetrics.prefix + name, help).set(value)
    }

    func publish(_ settings: StorageSettings) {
        set(
            "retention_limit_bytes", "Bytes that may be used, 0 for no limit.", Double(settings.retentionSize ?? 0))
        set(
            "retention_limit_seconds", "How long samples are kept, 0 for no limit.",
            Double(settings.retentionTime ?? 0) / 1000)
        set(
            "retention_limit_percentage", "Share of the disk that may be used, in hundredths, 0 for no limit.",
            settings.retentionPercentage ?? 0)
        set(
            "out_of_order_time_window_seconds", "How late samples may come.",
            Double(settings.outOfOrderWindow) / 1000)
    }
}

extension TSDB {
    /// Sets what is read off the store.
    func publish() {
        let statistics = headStatistics()
        let (own, visible, hasLog, chunkBytes) = head.gate.shared {
            (blocks.all, blocks.visible, blocks.prometheusLog != nil, head.closedBytes)
        }
        metrics.set("head_series", "Series in the head.", Double(statistics.seriesCount))
        metrics.set("head_chunks", "Chunks in the head.", Double(statistics.chunkCount))
        metrics.set(
            "head_chunks_storage_size_bytes", "Size of the head's closed chunks.", Double(chunkBytes))
        let oldest = Double(statistics.range?.min ?? 0)
        let newest = Double(statistics.range?.max ?? 0)
        metrics.set("head_min_time", "Oldest timestamp of the head. Milliseconds.", oldest)
        metrics.set("head_max_time", "Newest timestamp of the head. Milliseconds.", newest)
        metrics.set("head_min_time_seconds", "Oldest timestamp of the head.", oldest / 1000)
        metrics.set("head_max_time_seconds", "Newest timestamp of the head.", newest / 1000)
        publishExemplars()
        metrics.set("blocks_loaded", "Blocks that queries see.", Double(visible.count - (hasLog ? 1 : 0)))
        metrics.set("storage_blocks_bytes", "Size of the blocks.", Double(own.reduce(0) { $0 + $1.record.bytes }))
        metrics.set("symbol_table_size_bytes", "Memory of the blocks' symbol tables.", 0)
        let lowest = Double(visible.map(\.range.min).min() ?? statistics.range?.min ?? 0)
        metrics.set("lowest_timestamp", "Oldest timestamp stored. Milliseconds.", lowest)
        metrics.set("lowest_timestamp_seconds", "Oldest timestamp stored.", lowest / 1000)
        metrics.set("wal_segment_current", "Number of the log's newest segment.", Double(log.currentSegment))
        metrics.set("wal_storage_size_bytes", "Size of the log.", Double(log.size))
        metrics.heldLog.set(Double(log.heldBytes))
    }

    private func publishExemplars() {
        let figures = head.exemplars.figures
        metrics.set("exemplar_exemplars_in_storage", "Exemplars held.", Double(figures.count))
        metrics.set(
            "exemplar_series_with_exemplars_in_storage", "Series that have exemplars.", Double(figures.seriesCount))
        metrics.set("exemplar_max_exemplars", "Exemplars that may be held.", Double(figures.capacity))
        metrics.set(
            "exemplar_last_exemplars_timestamp_seconds", "Timestamp of the oldest exemplar held.",
            Double(figures.oldestTime ?? 0) / 1000)
    }
}
