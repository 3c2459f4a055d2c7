package import Blocks
package import FileIO
package import PrometheusBlocks
import SeriesModel
package import StorageAPI

/// Brings a data directory of Prometheus' into ours: its blocks become blocks of our own under the same names, the
/// samples of its log become further ones. Prometheus' files stay as they are.
///
/// A block that is there already, or was taken in before (`ImportedBlocks`), is passed over, so an import that was
/// interrupted can be run again. Source and target may be the same directory: there the server serves Prometheus' blocks
/// until they are taken in.
package struct PrometheusImport: Sendable {
    /// What became of one block.
    package enum Outcome: Sendable {
        case written(BlockFooter)
        case passedOver(BlockIdentifier)
        /// It has no samples, or all are deleted.
        case empty
        case failed(StorageError)
    }

    /// What happened, as it happens.
    package enum Event: Sendable {
        case block(path: String, Outcome)
        /// The log of so many series was read.
        case log(series: Int, PrometheusLog.Report)
        case logBlock(Outcome)
    }

    private let fileSystem: any FileSystem
    private let source: PrometheusDirectory
    private let sink: BlockSink
    private let dataDirectory: String
    private let readsLog: Bool

    /// - Parameter readsLog: whether the source's log is taken too; not where it is one of ours.
    package init(fileSystem: any FileSystem, source: String, dataDirectory: String, readsLog: Bool = true) {
        self.fileSystem = fileSystem
        self.dataDirectory = dataDirectory
        self.readsLog = readsLog
        self.source = PrometheusDirectory(fileSystem: fileSystem, path: source)
        sink = BlockSink(fileSystem: fileSystem, dataDirectory: dataDirectory)
    }

    /// Runs the import. A block that is damaged is reported and left out, the others are taken.
    /// - Returns: whether all was taken.
    /// - Throws: `StorageError` where the directory or its log cannot be read, or nothing can be written.
    package func run(_ report: (Event) -> Void) throws(StorageError) -> Bool {
        guard source.isRecognized else {
            throw .invalid(reason: "\(source.path) is no data directory of Prometheus: it has neither blocks nor a log")
        }
        let (blocks, damaged) = try source.readableBlocks()
        for (path, error) in damaged { report(.block(path: path, .failed(error))) }
        var isComplete = damaged.isEmpty
        var imported = try ImportedBlocks(fileSystem: fileSystem, dataDirectory: dataDirectory)
        for (path, meta) in blocks {
            let outcome = adopt(path, meta, imported)
            try note(outcome, &imported)
            if case .failed = outcome { isComplete = false }
            report(.block(path: path, outcome))
        }
        if !readsLog { return isComplete }
        return try takeLog(behind: blocks.map(\.meta), &imported, report) && isComplete
    }

    /// - Returns: whether all of it was taken.
    private func takeLog(
        behind blocks: [PrometheusMeta], _ imported: inout ImportedBlocks, _ report: (Event) -> Void
    ) throws(StorageError) -> Bool {
        let fingerprint = source.logFingerprint
        let log = try PrometheusLog(
            fileSystem: fileSystem, directory: source.path,
            start: PrometheusDirectory.logStart(behind: blocks))
        report(.log(series: log.series.count, log.report))
        var isWritten = true
        if let range = log.range {
            for window in BlockWindows.covering(range, length: BlockWindows.standard) {
                let outcome = take(log, window, imported)
                try note(outcome, &imported)
                if case .failed = outcome { isWritten = false }
                if case .empty = outcome { continue }
                report(.logBlock(outcome))
            }
        }
        // What of it cannot be read is not going to be readable: it is served no more as it is not taken again.
        if isWritten, let fingerprint {
            try note(BlockIdentifier(high: fingerprint.high, low: fingerprint.low), &imported)
        }
        return isWritten && log.report.damages.isEmpty && log.report.orphanCount == 0
    }

    /// Enters what was taken in the list. Only now: it is whole and durable.
    private func note(_ outcome: Outcome, _ imported: inout ImportedBlocks) throws(StorageError) {
        switch outcome {
        case .written(let footer): try note(footer.identifier, &imported)
        case .passedOver(let known): try note(known, &imported)
        case .empty, .failed: break
        }
    }

    private func note(_ identifier: BlockIdentifier, _ imported: inout ImportedBlocks) throws(StorageError) {
        if imported.contains(identifier) { return }
        imported.insert(identifier)
        try imported.write(fileSystem: fileSystem, dataDirectory: dataDirectory)
    }

    // MARK: - Blocks

    private func adopt(_ path: String, _ meta: PrometheusMeta, _ imported: ImportedBlocks) -> Outcome {
        do {
            guard let identifier = BlockIdentifier(meta.ulid) else {
                throw StorageError.corruption(file: path, offset: 0, reason: "ulid \(meta.ulid)")
            }
            if imported.contains(identifier) || sink.has(identifier) { return .passedOver(identifier) }
            let block = try PrometheusBlock(fileSystem: fileSystem, path: path)
            let range = TimeRange(min: meta.minTime, max: meta.maxTime)
            let footer = try sink.write(identifier, range: range, level: max(1, meta.compaction?.level ?? 1)) { add in
                var samples = SampleBuffer()
                for series in try block.allPostings() {
                    samples.removeAll()
                    // What was deleted, and what reaches beyond the block's own range, is not taken.
                    try block.read(series: series, range: block.range, into: &samples)
                    try add(try block.labels(of: series), samples)
                }
            }
            return footer.map { .written($0) } ?? .empty
        } catch let error as StorageError {
            return .failed(error)
        } catch {
            return .failed(.invalid(reason: "\(path): \(error)"))
        }
    }

    // MARK: - Log

    private func take(_ log: PrometheusLog, _ window: TimeRange, _ imported: ImportedBlocks) -> Outcome {
        let identifier = PrometheusImport.identifier(of: log, window)
        if imported.contains(identifier) || sink.has(identifier) { return .passedOver(identifier) }
        let wanted = TimeRange(min: window.min, max: window.max.subtractingClamped(1))
        do {
            let footer = try sink.write(identifier, range: window) { add in
                var samples = SampleBuffer()
                for series in log.series where series.range.overlaps(wanted) {
                    samples.removeAll()
                    try series.read(range: wanted, into: &samples)
                    try add(series.labels, samples)
                }
            }
            return footer.map { .written($0) } ?? .empty
        } catch let error as StorageError {
            return .failed(error)
        } catch {
            return .failed(.invalid(reason: "log from \(window.min) to \(window.max): \(error)"))
        }
    }

    /// The same log gives the same names, so that it is not taken twice.
    private static func identifier(of log: PrometheusLog, _ window: TimeRange) -> BlockIdentifier {
        var content: [UInt8] = []
        func add(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { content.append(contentsOf: $0) } }
        add(window.min)
        add(Int64(log.report.sampleCount))
        for series in log.series {
            content.append(contentsOf: series.labels.packed)
            add(series.range.min)
            add(series.range.max)
        }
        let hash = StableHash.hash(content)
        let second = content.withUnsafeBytes { StableHash.hash($0, seed: 1) }
        let time = UInt64(min(max(window.max, 0), (1 << 48) - 1))
        return BlockIdentifier(high: time << 16 | second & 0xFFFF, low: hash)
    }
}
