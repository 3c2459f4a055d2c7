import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import WAL

extension TSDB {
    /// A record of the checkpoint holds about so many samples or series.
    private static let samplesPerRecord = 20_000
    private static let histogramsPerRecord = 1000
    private static let seriesPerRecord = 5000

    /// Writes out what the head holds, so that the log before it can go.
    func checkpoint() throws {
        metrics.checkpoints.increment()
        let started = ContinuousClock.now
        let (series, deletions, lsn, segment): ([(LogBatch.NewSeries, HeadSnapshot)], [LogBatch.Deletion], LSN, UInt64)
        do {
            (series, deletions, lsn, segment) = try committer.perform { [head, log] in
                let segment = try log.cutSegment()
                var series: [(LogBatch.NewSeries, HeadSnapshot)] = []
                series.reserveCapacity(head.seriesCount)
                head.forEach {
                    series.append((.init(slot: $0.slot, generation: $0.generation, labels: $0.labels), $0.snapshot()))
                }
                return (series, head.tombstones.deletions, log.nextLSN - 1, segment)
            }
            let bytes = try writeCheckpoint(series, deletions, lsn, segment)
            options.logger.info("checkpoint written", metadata: ["lsn": "\(lsn)", "bytes": "\(bytes)"])
        } catch {
            metrics.checkpointFailures.increment()
            throw error
        }
        metrics.walTruncations.increment()
        do {
            try committer.perform { [log] in try log.removeSegments(before: segment) }
            metrics.checkpointDeletions.increment()
        } catch {
            metrics.walTruncationFailures.increment()
            throw error
        }
        metrics.walTruncateDuration.observe(started.duration(to: .now) / .seconds(1))
    }

    /// - Returns: its size. Bytes.
    private func writeCheckpoint(
        _ series: [(LogBatch.NewSeries, HeadSnapshot)], _ deletions: [LogBatch.Deletion], _ lsn: LSN,
        _ segment: UInt64
    ) throws -> Int {
        var writer = try CheckpointWriter(
            fileSystem: options.fileSystem, directory: log.directory, lsn: lsn, firstSegment: segment)
        var batch = LogBatch()
        var samples = SampleBuffer()
        for (announced, snapshot) in series {
            batch.newSeries.append(announced)
            samples.removeAll()
            try snapshot.read(.all, into: &samples)
            batch.append(slot: announced.slot, samples)
            if batch.count >= TSDB.samplesPerRecord || batch.histograms.count >= TSDB.histogramsPerRecord
                || batch.newSeries.count >= TSDB.seriesPerRecord
            {
                try writer.add(batch)
                batch.removeAll()
            }
        }
        if !batch.isEmpty { try writer.add(batch) }
        for start in stride(from: 0, to: deletions.count, by: TSDB.deletionsPerRecord) {
            batch.removeAll()
            batch.deletions = Array(deletions[start..<min(start + TSDB.deletionsPerRecord, deletions.count)])
            try writer.add(batch)
        }
        return try writer.finish()
    }
}

extension LogBatch {
    /// Adds all samples of one series, in order of time.
    mutating func append(slot: UInt32, _ samples: SampleBuffer) {
        var next = 0
        for (timestamp, value) in zip(samples.timestamps, samples.values) {
            appendHistograms(slot: slot, samples, from: &next, before: timestamp)
            append(slot: slot, timestamp: timestamp, value: value)
        }
        appendHistograms(slot: slot, samples, from: &next, before: .max)
    }

    private mutating func appendHistograms(
        slot: UInt32, _ samples: SampleBuffer, from next: inout Int, before end: Timestamp
    ) {
        while next < samples.histograms.count, samples.histogramTimestamps[next] < end {
            append(slot: slot, timestamp: samples.histogramTimestamps[next], histogram: samples.histograms[next])
            next += 1
        }
    }
}
