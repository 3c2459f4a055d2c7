import Exposition
import SeriesModel

/// A body read to its end, everything as values.
struct Entries {
    struct Sample: Equatable {
        var labels: LabelSet
        var value: Double
        var timestamp: Timestamp?
        var exemplar: LabelSet?
        var exemplarValue: Double?
        var exemplarTimestamp: Timestamp?
        var kind: MetricMetadata.Kind?
    }

    enum Entry {
        case sample(Sample)
        case type(String, MetricMetadata.Kind)
        case help(String, String)
        case unit(String, String)
        case comment(String)
    }

    var entries: [Entry] = []

    var samples: [Sample] {
        entries.compactMap { entry in
            if case .sample(let sample) = entry { return sample }
            return nil
        }
    }

    init(_ body: [UInt8], _ format: ExpositionFormat) throws(ExpositionError) {
        entries = try body.withUnsafeBytes { bytes in
            Result { () throws(ExpositionError) in try Entries.read(bytes, format) }
        }
        .get()
    }

    init(_ text: String, _ format: ExpositionFormat = .text100) throws(ExpositionError) {
        try self.init(Array(text.utf8), format)
    }

    private static func read(
        _ body: UnsafeRawBufferPointer, _ format: ExpositionFormat
    ) throws(ExpositionError) -> [Entry] {
        var parser = ExpositionParser(body, format: format)
        var entries: [Entry] = []
        while let event = try parser.next() {
            switch event {
            case .series(let line):
                var sample = Sample(labels: try parser.labels(of: line.text), value: line.value, kind: parser.kind)
                sample.timestamp = line.timestamp
                if let exemplar = line.exemplar {
                    sample.exemplar = try parser.labels(of: exemplar)
                    sample.exemplarValue = exemplar.value
                    sample.exemplarTimestamp = exemplar.timestamp
                }
                entries.append(.sample(sample))
            case .type(let metric, let kind): entries.append(.type(parser.metricName(metric), kind))
            case .help(let metric, let text):
                entries.append(.help(parser.metricName(metric), parser.helpText(text)))
            case .unit(let metric, let text): entries.append(.unit(parser.metricName(metric), parser.string(text)))
            case .comment(let text): entries.append(.comment(parser.string(text)))
            }
        }
        return entries
    }

    static func error(_ body: [UInt8], _ format: ExpositionFormat) -> ExpositionError? {
        do {
            _ = try Entries(body, format)
            return nil
        } catch {
            return error
        }
    }

    static func error(_ text: String, _ format: ExpositionFormat = .text100) -> ExpositionError? {
        error(Array(text.utf8), format)
    }
}
