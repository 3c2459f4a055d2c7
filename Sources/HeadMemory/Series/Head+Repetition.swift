package import StorageAPI
package import WAL

extension Head {
    /// The series as the log introduces it, to say it there again; nil when it has left. On the committer.
    package func introduction(of series: SeriesRef) -> LogBatch.NewSeries? {
        guard let record = record(series), let labels = record.pointee.labels else { return nil }
        return LogBatch.NewSeries(
            slot: series.slot, generation: series.generation,
            labels: self.labels(labels, Int(record.pointee.labelCount)))
    }
}
