import SeriesModel

@testable import Exposition

/// What a decoded body says, as lines.
struct DecodedEntries {
    var lines: [String] = []
    var histograms: [String: NativeHistogram] = [:]

    init(_ decoded: DecodedExposition) throws {
        try decoded.texts.withUnsafeBytes { texts in
            var parser = ExpositionParser(decoded, texts: texts)
            while let event = try parser.next() { try add(event, parser) }
        }
    }

    init(protobuf body: [UInt8], _ handling: HistogramHandling = HistogramHandling(takesNative: true)) throws {
        try self.init(body.withUnsafeBytes { try DecodedExposition(protobuf: $0, histograms: handling) })
    }

    init(converting text: String, _ format: ExpositionFormat = .text004, keepsClassic: Bool = false) throws {
        try self.init(
            Array(text.utf8).withUnsafeBytes {
                try DecodedExposition(
                    convertingClassic: ExpositionParser($0, format: format), keepsClassic: keepsClassic)
            })
    }

    private mutating func add(_ event: ExpositionEvent, _ parser: ExpositionParser) throws {
        switch event {
        case .type(let metric, let kind): lines.append("TYPE \(parser.metricName(metric)) \(kind.rawValue)")
        case .help(let metric, let text):
            let help = parser.helpText(text)
            if !help.isEmpty { lines.append("HELP \(parser.metricName(metric)) \(help)") }
        case .unit(let metric, let text): lines.append("UNIT \(parser.metricName(metric)) \(parser.string(text))")
        case .comment: lines.append("comment")
        case .series(let line):
            let labels = try parser.labels(of: line.text)
            var text = "\(labels) "
            var exemplars: [ExemplarText] = []
            if let index = line.histogram {
                histograms["\(labels)"] = parser.histogram(index)
                text += "histogram"
                exemplars = Array(parser.exemplars(ofHistogram: index))
            } else {
                text += NumberText.general(line.value)
                exemplars = line.exemplar.map { [$0] } ?? []
            }
            if let time = line.timestamp { text += " @\(time)" }
            for exemplar in exemplars {
                text += " # \(try parser.labels(of: exemplar)) \(NumberText.general(exemplar.value))"
                if let time = exemplar.timestamp { text += " @\(time)" }
            }
            lines.append(text)
        }
    }
}
