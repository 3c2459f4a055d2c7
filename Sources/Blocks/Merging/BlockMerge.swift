package import FileIO
package import SeriesModel
import StorageAPI
package import StorageFiles

/// Makes one block of several, or of one without what was deleted of it: series by series in the order of their labels,
/// one series in memory at a time.
///
/// Of equal timestamps the sample of the first source wins, as in a query over the same sources.
package struct BlockMerge {
    /// What a merge met: nothing is left of it on disk.
    package enum Stop: Error, Sendable, Hashable {
        case cancelled
    }

    /// In the order in which they win.
    private let sources: [any BlockSource]
    /// What is kept of a series: samples from that time on, ms; nil for all. Asked once a series.
    package var keepFrom: (LabelSet) -> Timestamp? = { _ in nil }
    /// Asked between two series, where other work may be done as well; what it throws ends the merge.
    package var isCancelled: () throws -> Bool = { false }
    /// Told now and then: series of the sources that are done, of all.
    package var progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }

    private static let seriesPerReport = 1000

    /// - Precondition: there is at least one source.
    package init(_ sources: [any BlockSource]) {
        self.sources = sources.sorted { ($0.range.min, $0.identifier) < ($1.range.min, $1.identifier) }
    }

    /// From the first to the last time of the sources. `[min, max)`
    package var range: TimeRange {
        TimeRange(min: sources.map(\.range.min).min() ?? 0, max: sources.map(\.range.max).max() ?? 0)
    }

    /// The block's record number says up to which record all samples out of order are in it: that of the source that has
    /// fewest. Sources from elsewhere have none.
    package var lsn: LSN { sources.map(\.lsn).filter { $0 > 0 }.min() ?? 0 }

    /// Writes the block.
    /// - Parameter level: nil for one more than the highest of the sources.
    /// - Returns: nil where no sample is left.
    /// - Throws: `StorageError`; `Stop.cancelled`.
    package func run(
        fileSystem: any FileSystem, directory: String, identifier: BlockIdentifier, level: Int? = nil
    ) throws -> BlockFooter? {
        var writer = try BlockWriter(
            fileSystem: fileSystem, directory: directory, identifier: identifier, range: range,
            level: level ?? (sources.map(\.level).max() ?? 0) + 1, parents: sources.map(\.identifier), lsn: lsn)
        let isEmpty: Bool
        do {
            isEmpty = try copy(to: &writer)
        } catch {
            // The first error is the one to tell; what is left is removed at the next look at the directory.
            try? writer.abandon()
            throw error
        }
        if isEmpty {
            try writer.abandon()
            return nil
        }
        return try writer.finish()
    }

    /// The next series of a source.
    private struct Cursor {
        let source: any BlockSource
        var series: UInt32 = 0
        var labels: LabelSet?

        init(_ source: any BlockSource) throws(StorageError) {
            self.source = source
            labels = source.seriesCount > 0 ? try source.labels(of: 0) : nil
        }

        mutating func advance() throws(StorageError) {
            series += 1
            labels = Int(series) < source.seriesCount ? try source.labels(of: series) : nil
        }
    }

    /// - Returns: whether no sample was copied.
    private func copy(to writer: inout BlockWriter) throws -> Bool {
        var cursors: [Cursor] = []
        for source in sources { cursors.append(try Cursor(source)) }
        let total = sources.reduce(0) { $0 + $1.seriesCount }
        var done = 0
        var isEmpty = true
        var samples = SampleBuffer()
        while let labels = cursors.compactMap(\.labels).min() {
            if try isCancelled() { throw Stop.cancelled }
            samples.removeAll()
            let wanted = TimeRange(min: keepFrom(labels) ?? .min, max: .max)
            var marks = SourceMarks(samples)
            for index in cursors.indices where cursors[index].labels == labels {
                try cursors[index].source.read(series: cursors[index].series, range: wanted, into: &samples)
                marks.note(samples)
                try cursors[index].advance()
                done += 1
                if done % BlockMerge.seriesPerReport == 0 { progress(done, total) }
            }
            if samples.isEmpty { continue }
            if !marks.isOrdered { samples.merge(marks.marks) }
            try writer.addSeries(labels, samples)
            isEmpty = false
        }
        progress(total, total)
        return isEmpty
    }
}
