import ByteCoding
import ChunkEncoding
package import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles

/// What the log of a Prometheus data directory holds behind its blocks: the checkpoint with the largest number, the
/// segments behind it, and the log of late samples. It is all read at once, and kept compressed.
///
/// Head chunks (`chunks_head`) and chunk snapshots are not read: a log is cut, and its checkpoint written, only up to
/// where a block begins to hold the samples, so checkpoint and segments have every sample of the head.
package struct PrometheusLog: Sendable {
    /// What could not be used.
    package struct Report: Sendable {
        /// Where segments end early, or a record in them is not what it should be: what follows in the segment is lost.
        package var damages: [StorageError] = []
        /// Samples of series that no record announced.
        package var orphanCount = 0
        /// Records of types that are not known here.
        package var unknownRecordCount = 0
        /// Histograms that cannot be stored (`NativeHistogram.validate`), and series with unsound labels.
        package var invalidCount = 0
        /// Samples read, those that blocks hold already not counted.
        package var sampleCount = 0
    }

    /// In label order; none is empty.
    package private(set) var series: [LogSeries] = []
    package private(set) var report = Report()
    /// Of all samples. ms; nil where there are none.
    package var range: TimeRange? {
        series.isEmpty
            ? nil : TimeRange(min: series.map(\.range.min).min() ?? 0, max: series.map(\.range.max).max() ?? 0)
    }

    /// - Parameters:
    ///   - directory: the data directory.
    ///   - start: older samples of the log are left out, except late ones (`PrometheusDirectory.logStart`). ms
    /// - Throws: `StorageError` where a file cannot be opened, or its compression is not known here; damage is no error,
    ///   see `report`.
    package init(fileSystem: any FileSystem, directory: String, start: Timestamp) throws(StorageError) {
        var reader = LogReader(fileSystem: fileSystem)
        let log = FilePath.join(directory, PrometheusFormat.logName)
        var firstSegment = 0
        if fileSystem.exists(log) {
            if let checkpoint = try reader.newestCheckpoint(in: log) {
                firstSegment = checkpoint.number + 1
                try reader.read(checkpoint.path, from: 0, Selection(start: start))
            }
            try reader.read(log, from: firstSegment, Selection(start: start))
        }
        let late = FilePath.join(directory, PrometheusFormat.lateLogName)
        if fileSystem.exists(late) { try reader.read(late, from: 0, Selection(isLate: true)) }
        series = reader.series.filter { !$0.isEmpty }.sorted { $0.labels < $1.labels }
        report = reader.report
    }
}

/// What is taken of a log's samples.
private struct Selection {
    /// Older ones are not. ms
    var start = Timestamp.min
    /// Whether this is the log of late samples.
    var isLate = false
}

/// Collects the records of segment after segment.
private struct LogReader {
    let fileSystem: any FileSystem
    private(set) var series: [LogSeries] = []
    private(set) var report = PrometheusLog.Report()
    private var indexes: [LabelSet: Int] = [:]
    /// By the log's number of a series; several may stand for the same labels.
    private var references: [UInt64: Int] = [:]

    init(fileSystem: any FileSystem) { self.fileSystem = fileSystem }

    /// The checkpoint that was written last, and the newest segment that it stands for.
    func newestCheckpoint(in directory: String) throws(StorageError) -> (path: String, number: Int)? {
        var newest: (path: String, number: Int)?
        for name in try list(directory) where name.utf8.starts(with: PrometheusFormat.checkpointPrefix.utf8) {
            let digits = name.utf8.dropFirst(PrometheusFormat.checkpointPrefix.utf8.count)
            guard let number = LogReader.number(String(decoding: digits, as: UTF8.self)), number >= newest?.number ?? 0
            else { continue }
            newest = (FilePath.join(directory, name), number)
        }
        return newest
    }

    /// Reads the segments of a directory from a number on, in order.
    mutating func read(_ directory: String, from first: Int, _ selection: Selection) throws(StorageError) {
        let segments = try list(directory).compactMap { name in LogReader.number(name).map { (number: $0, name: name) }
        }
        .sorted { $0.number < $1.number }
        var last: Int?
        for (number, name) in segments where number >= first {
            let path = FilePath.join(directory, name)
            if let last, number != last + 1 {
                report.damages.append(
                    .corruption(file: path, offset: 0, reason: "the segments between \(last) and \(number) are missing")
                )
            }
            last = number
            try read(segment: path, selection)
        }
    }

    private mutating func read(segment path: String, _ selection: Selection) throws(StorageError) {
        let fileSystem = fileSystem
        var segment = LogSegment(
            try StorageError.wrapping { () throws(FileError) in try fileSystem.map(path) })
        do throws(StorageError) {
            while let bytes = try segment.next() {
                // The log of late samples begins segments with empty records.
                if !bytes.isEmpty { try take(bytes, path, selection) }
            }
        } catch {
            guard case .corruption = error else { throw error }
            report.damages.append(error)
        }
    }

    private mutating func take(_ bytes: [UInt8], _ path: String, _ selection: Selection) throws(StorageError) {
        let record: LogRecord
        do throws(ByteError) {
            record = try LogRecord(bytes)
        } catch {
            throw .corruption(file: path, offset: 0, reason: "record of type \(bytes.first ?? 0): \(error)")
        }
        switch record {
        case .series(let series): for one in series { announce(one) }
        case .samples(let samples):
            for sample in samples where sample.timestamp >= selection.start { take(sample, selection) }
        case .histograms(let histograms):
            for sample in histograms where sample.timestamp >= selection.start { take(sample, selection) }
        case .tombstones(let tombstones):
            for tombstone in tombstones {
                if let index = references[tombstone.reference] { series[index].delete(tombstone.range) }
            }
        case .other: break
        case .unknown: report.unknownRecordCount += 1
        }
    }

    private mutating func take(_ sample: LogRecord.Sample, _ selection: Selection) {
        guard let index = references[sample.reference] else {
            report.orphanCount += 1
            return
        }
        if selection.isLate {
            series[index].appendLate(sample.timestamp, sample.value)
        } else {
            series[index].append(sample.timestamp, sample.value)
        }
        report.sampleCount += 1
    }

    private mutating func take(_ sample: LogRecord.Histogram, _ selection: Selection) {
        guard let index = references[sample.reference] else {
            report.orphanCount += 1
            return
        }
        guard sample.histogram.isStale || sample.histogram.isStorable && (try? sample.histogram.validate()) != nil
        else {
            report.invalidCount += 1
            return
        }
        if selection.isLate {
            series[index].appendLate(sample.timestamp, sample.histogram)
        } else {
            series[index].append(sample.timestamp, sample.histogram)
        }
        report.sampleCount += 1
    }

    private mutating func announce(_ announced: LogRecord.Series) {
        guard let labels = LabelSet(validating: announced.labels) else {
            report.invalidCount += 1
            return
        }
        if let index = indexes[labels] {
            references[announced.reference] = index
            return
        }
        indexes[labels] = series.count
        references[announced.reference] = series.count
        series.append(LogSeries(labels: labels))
    }

    private func list(_ directory: String) throws(StorageError) -> [String] {
        let fileSystem = fileSystem
        return try StorageError.wrapping { () throws(FileError) in try fileSystem.list(directory) }
    }

    private static func number(_ name: String) -> Int? {
        name.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(name) : nil
    }
}
