package import SeriesModel
package import StorageAPI
package import StorageFiles

/// What a query, a merge, a verification or a dump needs of a block, whatever its format.
///
/// Series are numbered from 0 in ascending order of their labels. Any thread may call.
package protocol BlockSource: Sendable {
    var identifier: BlockIdentifier { get }
    /// Samples lie in `range.min ..< range.max`: the end is excluded. ms
    var range: TimeRange { get }
    /// 1 for a block cut from the head, more for merged ones.
    var level: Int { get }
    /// The newest log record whose samples are in the block, 0 for none.
    var lsn: LSN { get }
    var seriesCount: Int { get }
    var chunkCount: Int { get }
    /// As stored, the deleted ones included.
    var sampleCount: Int { get }

    /// Sorted by bytes.
    func labelNames() throws(StorageError) -> [String]
    /// The values of a label, sorted by bytes; empty where no series has it.
    func labelValues(of name: String) throws(StorageError) -> [String]
    /// The numbers of the series that have the label, ascending.
    func postings(name: String, value: String) throws(StorageError) -> [UInt32]
    /// The numbers of all series, ascending.
    func allPostings() throws(StorageError) -> [UInt32]
    func labels(of series: UInt32) throws(StorageError) -> LabelSet
    /// Tells series of different blocks apart without decoding their labels each time.
    func fingerprints(of series: [UInt32]) throws(StorageError) -> [SeriesFingerprint]
    /// Appends the series' samples within the range to the buffer, without those that were deleted.
    /// - Throws: nothing has been appended then.
    func read(series: UInt32, range: TimeRange, into buffer: inout SampleBuffer) throws(StorageError)
}
