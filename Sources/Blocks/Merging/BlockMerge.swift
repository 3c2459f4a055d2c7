package import FileIO
package import SeriesModel
import StorageAPI
package import StorageFiles

/// Makes one block of several, or of one without what was deleted of it: series by series in the order of their labels,
/// one series in memory at a time.
///
/// Of equal timestamps the sample of the first source wins, as in a query over the same sources.
package struct BlockMerge {
    /// Why a merge ended before its time.
    package enum Stop: Error, Sendable, Hashable {
        /// Nothing is left of it on disk.
        case cancelled
        /// It has left what it wrote, or found, with marks, to go on with.
        case interrupted
    }

    /// What became of a merge that was to go on.
    package enum Resumption: Sendable {
        case resumed(series: Int, bytes: Int)
        /// It was removed.
        case begunAnew(reason: String)
    }

    /// In the order in which they win.
    private let sources: [any BlockSource]
    /// What is kept of a series: samples from that time on, ms; nil for all. Asked once a series.
    package var keepFrom: (LabelSet) -> Timestamp? = { _ in nil }
    /// Asked between two series, and between two pieces of what there is to go on with, where other work may be done as
    /// well.
    package var mayGoOn: () -> Bool = { true }
    /// Asked when it may not go on: whether it is to leave what it wrote, with a mark.
    package var isInterrupted: () -> Bool = { false }
    /// nil for none. Blocks of other formats are merged without.
    package var marks: MergeMarks?
    /// Told once, where there is a merge to go on with.
    package var resumption: (Resumption) -> Void = { _ in }
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
    /// - Parameters:
    ///   - level: nil for one more than the highest of the sources.
    ///   - interrupted: goes on with that, under its identifier, if it is the same work and undamaged; otherwise removes
    ///     it.
    /// - Returns: nil where no sample is left.
    /// - Throws: `StorageError`; `Stop`.
    package func run(
        fileSystem: any FileSystem, directory: String, identifier: BlockIdentifier, level: Int? = nil,
        resuming interrupted: InterruptedMerge? = nil
    ) throws -> BlockFooter? {
        let draft = BlockFooter(
            identifier: identifier, range: range, level: level ?? (sources.map(\.level).max() ?? 0) + 1,
            parents: sources.map(\.identifier), lsn: lsn)
        var writer = try writer(draft, fileSystem, directory, interrupted)
        do {
            try copy(to: &writer)
        } catch Stop.interrupted {
            throw Stop.interrupted
        } catch {
            // The first error is the one to tell; what is left is removed at the next look at the directory.
            try? writer.abandon()
            throw error
        }
        if writer.seriesCount == 0 {
            try writer.abandon()
            return nil
        }
        return try writer.finish()
    }

    private func writer(
        _ draft: BlockFooter, _ fileSystem: any FileSystem, _ directory: String, _ interrupted: InterruptedMerge?
    ) throws -> BlockWriter {
        let conditions = marks.flatMap { MergeConditions(draft: draft, sources: sources, context: $0.context) }
        let intervalBytes = marks?.intervalBytes ?? 0
        if let interrupted {
            do {
                guard let conditions, conditions.isSameWork(as: interrupted.conditions) else {
                    throw StorageError.invalid(reason: "other sources, deletions or settings")
                }
                let writer = try BlockWriter(
                    resuming: interrupted, fileSystem: fileSystem, directory: directory, intervalBytes: intervalBytes,
                    mayGoOn: mayGoOn)
                resumption(.resumed(series: writer.seriesCount, bytes: writer.output.position))
                return writer
            } catch let stop as Stop {
                throw stop
            } catch {
                resumption(.begunAnew(reason: "\(error)"))
                try BlockDirectory.remove(fileSystem: fileSystem, path: interrupted.path)
            }
        }
        var writer = try BlockWriter(
            fileSystem: fileSystem, directory: directory, identifier: draft.identifier, range: draft.range,
            level: draft.level, parents: draft.parents, lsn: draft.lsn)
        if let conditions { writer.startMarks(conditions, intervalBytes: intervalBytes) }
        return writer
    }

    /// The next series of a source.
    private struct Cursor {
        let source: any BlockSource
        var series: UInt32 = 0
        var labels: LabelSet?

        /// - Parameter last: the series behind it comes next; nil for the first.
        init(_ source: any BlockSource, after last: LabelSet?) throws(StorageError) {
            self.source = source
            var (low, high) = (0, last == nil ? 0 : source.seriesCount)
            while let last, low < high {
                let middle = (low + high) / 2
                if last < (try source.labels(of: UInt32(middle))) { high = middle } else { low = middle + 1 }
            }
            series = UInt32(low)
            labels = low < source.seriesCount ? try source.labels(of: series) : nil
        }

        mutating func advance() throws(StorageError) {
            series += 1
            labels = Int(series) < source.seriesCount ? try source.labels(of: series) : nil
        }
    }

    private func copy(to writer: inout BlockWriter) throws {
        var cursors: [Cursor] = []
        for source in sources { cursors.append(try Cursor(source, after: writer.previousLabels)) }
        let total = sources.reduce(0) { $0 + $1.seriesCount }
        var done = cursors.reduce(0) { $0 + Int($1.series) }
        var samples = SampleBuffer()
        while let labels = cursors.compactMap(\.labels).min() {
            guard mayGoOn() else {
                // Where no mark can be made nothing that was written is to be trusted.
                let isMarked = isInterrupted() && (try? writer.markForLater()) ?? false
                throw isMarked ? Stop.interrupted : Stop.cancelled
            }
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
            try writer.markIfDue()
        }
        progress(total, total)
    }
}
