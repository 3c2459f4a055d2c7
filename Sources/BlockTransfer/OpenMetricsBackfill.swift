package import Blocks
import Exposition
package import FileIO
import PrometheusBlocks
package import SeriesModel
import StorageAPI
import StorageFiles

/// Makes blocks of a file in OpenMetrics' format whose samples have timestamps, of any age.
///
/// The file is read once, in pieces of whole lines. The samples stay in memory compressed, until the end of the file says
/// that there are no more for a block.
package struct OpenMetricsBackfill: Sendable {
    /// What is wrong with the file.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The longest line that is taken.
    private static let lineBytesMax = 64 << 20
    private static let endMark = Array("# EOF\n".utf8)
    private static let typeMark = Array("# TYPE ".utf8)

    private var series: [LogSeries] = []
    private var indexes: [LabelSet: Int] = [:]
    /// By the text of a series as it stands in the file: as long as the family is the same.
    private var known: [ArraySlice<UInt8>: Int] = [:]
    /// Of the last family, with its line's end.
    private var typeLine: [UInt8] = []
    private var lineCount = 0
    private let pieceBytes: Int

    /// - Parameter pieceBytes: how much of the file is in memory at a time.
    package init(pieceBytes: Int = 8 << 20) { self.pieceBytes = pieceBytes }

    /// Reads the file.
    /// - Throws: `Failure`; `StorageError` where it cannot be read.
    package mutating func read(_ path: String, fileSystem: any FileSystem) throws {
        let file = try StorageError.wrapping { () throws(FileError) in try fileSystem.map(path) }
        var offset = 0
        var waiting: [UInt8] = []
        while offset < file.size {
            let count = min(pieceBytes, file.size - offset)
            waiting += try StorageError.wrapping { () throws(FileError) in try file.bytes(at: offset, count: count) }
            offset += count
            guard waiting.count <= OpenMetricsBackfill.lineBytesMax else {
                throw Failure(description: "\(path): line \(lineCount + 1) is too long")
            }
            if offset == file.size { break }
            guard let end = waiting.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            try take(Array(waiting[...end]) + OpenMetricsBackfill.endMark, path)
            waiting.removeFirst(end + 1)
        }
        // The last piece has its own end, or the parser says that it is missing.
        try take(waiting, path)
    }

    /// - Parameter piece: whole lines, and the end mark.
    private mutating func take(_ piece: [UInt8], _ path: String) throws {
        let body = typeLine + piece
        let addedLines = typeLine.isEmpty ? 0 : 1
        do {
            try body.withUnsafeBytes { buffer in
                var parser = ExpositionParser(buffer, format: .openMetrics100)
                while let event = try parser.next() {
                    switch event {
                    case .series(let line): try take(line, parser, body)
                    // Other types make other labels of the same text.
                    case .type: known.removeAll(keepingCapacity: true)
                    case .help, .unit, .comment: break
                    }
                }
            }
        } catch let error as ExpositionError {
            let line = error.line > 0 ? "line \(lineCount + error.line - addedLines): " : ""
            throw Failure(description: "\(path): \(line)\(error.message)")
        } catch let failure as Failure {
            throw Failure(description: "\(path): \(failure.description)")
        }
        let lines = piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lineCount += lines.count - 2
        if let last = lines.last(where: { $0.starts(with: OpenMetricsBackfill.typeMark) }) {
            typeLine = Array(last) + [UInt8(ascii: "\n")]
        }
    }

    private mutating func take(_ line: SeriesLine, _ parser: ExpositionParser, _ body: [UInt8]) throws {
        let text = body[line.text]
        let index: Int
        if let found = known[text] {
            index = found
        } else {
            let labels = try parser.labels(of: line.text)
            index = indexes[labels] ?? series.count
            if index == series.count {
                indexes[labels] = index
                series.append(LogSeries(labels: labels))
            }
            known[ArraySlice(Array(text))] = index
        }
        guard let timestamp = line.timestamp else {
            throw Failure(description: "expected timestamp for series \(series[index].labels.metricNotation), got none")
        }
        series[index].insert(timestamp, line.value)
    }

    // MARK: - Writing

    /// Writes the blocks, oldest first.
    /// - Parameters:
    ///   - blockLength: how long a block is. ms
    ///   - now: goes into the blocks' names. ms
    ///   - report: gets each block when it is written.
    package func write(
        to sink: BlockSink, blockLength: Int64, now: Timestamp, _ report: (BlockFooter) -> Void
    ) throws {
        let ordered = series.filter { !$0.isEmpty }.sorted { $0.labels < $1.labels }
        guard let start = ordered.map(\.range.min).min(), let end = ordered.map(\.range.max).max() else { return }
        for window in BlockWindows.covering(TimeRange(min: start, max: end), length: blockLength) {
            let wanted = TimeRange(min: window.min, max: window.max.subtractingClamped(1))
            let holding = ordered.filter { $0.range.overlaps(wanted) }
            if holding.isEmpty { continue }
            let footer = try sink.write(BlockIdentifier(timestamp: now), range: window) { add in
                var samples = SampleBuffer()
                for one in holding {
                    samples.removeAll()
                    try one.read(range: wanted, into: &samples)
                    try add(one.labels, samples)
                }
            }
            if let footer { report(footer) }
        }
    }
}
