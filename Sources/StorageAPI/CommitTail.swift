package import SeriesModel

/// What the store commits, record by record, for those who pass it on: the senders of remote write.
package protocol CommitLog: Sendable {
    /// Opens the log for a consumer, behind the last record that it has released; for one that is not known, behind the
    /// newest record. Blocks: reads the labels of all series that later records may mention.
    /// - Parameter consumer: names it over restarts. One tail a consumer may be open at a time.
    func openTail(consumer: String) throws(StorageError) -> any CommitTail

    /// Forgets the positions of all other consumers, and no longer keeps anything for them.
    func keepTails(ofConsumers consumers: Set<String>)
}

/// One consumer's way through the log. Used by one thread at a time, but for `release` and `close`, which any may call.
package protocol CommitTail: AnyObject, Sendable {
    /// Calls the body for each series that has a number before the first record, in no order; once, before `next`.
    func forEachSeries(_ body: (_ number: UInt32, _ labels: LabelSet) -> Void) throws(StorageError)

    /// The next record. Blocks until one is there, the time is over or the tail is closed.
    /// - Parameter record: is overwritten; its memory is used again.
    /// - Returns: false if there was none.
    func next(into record: inout CommittedRecord, timeout: Duration) throws(StorageError) -> Bool

    /// Everything up to a record has arrived where it was to go: it is not read again after a restart, and the log need
    /// not be kept for it. Cheap; the position is saved now and then, and when the store closes.
    func release(through number: UInt64)

    /// Number of the newest record in the log, and when it was committed, for those who want to know how far behind they
    /// are.
    var newest: UInt64 { get }

    /// Of the file that is being read: the number of the segment.
    var currentSegment: UInt64 { get }

    /// Records that were gone before they could be read: the consumer was away or behind for too long, or they are damaged.
    var lostRecordCount: UInt64 { get }

    /// Ends a `next` that waits. The position stays for the next `openTail`.
    func close()
}

/// One committed batch: who got a number, samples in columns of equal length, exemplars.
package struct CommittedRecord: Sendable {
    /// Records are numbered 1, 2, 3 … without gaps. Where some were lost, others come first that have series and nothing
    /// else, with the number of the last one that was lost.
    package var number: UInt64 = 0
    /// From this record on a number is that series', until another one gets it. One may be told again what it knows. Of
    /// several with one number the last holds.
    package var newSeries: [(number: UInt32, labels: LabelSet)] = []
    /// The sample's series.
    package var series: [UInt32] = []
    package var timestamps: [Timestamp] = []
    /// Of a row that has a histogram the value means nothing.
    package var values: [Double] = []
    /// The rows that have a histogram, ascending.
    package var histogramRows: [Int] = []
    package var histograms: [NativeHistogram] = []
    package var exemplars: [SeriesExemplar] = []

    package init() {}
}
