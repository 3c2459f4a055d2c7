import Exposition
import SeriesModel
import TestSupport

extension FuzzTarget {
    /// Expositions as protobuf messages, with everything that can be wanted of their histograms.
    static let protobuf = FuzzTarget(
        name: "protobuf",
        seeds: {
            (0..<20 as Range<UInt64>).map { seed in
                var random = SeededRandom(seed: seed)
                return ProtobufTarget.body(&random)
            }
        }, words: ["\u{A}", "\u{1A}", "\u{12}", "\u{9}", "\u{11}", "\u{3A}", "\u{62}", "\u{6A}", "le", "\0", "\u{7F}"],
        generate: { random in ProtobufTarget.body(&random) },
        makeRun: { { input in try ProtobufTarget.run(input) } })
}

private enum ProtobufTarget {
    private static let handlings = [
        HistogramHandling(), HistogramHandling(takesNative: true),
        HistogramHandling(takesNative: true, keepsClassic: true, convertsClassic: true),
    ]

    static func run(_ input: [UInt8]) throws -> Bool {
        var isTaken = false
        for handling in handlings {
            do {
                try input.withUnsafeBytes { bytes in
                    try ExpositionParser.withParser(of: bytes, .protobuf, handling) { try read($0) }
                }
                isTaken = true
            } catch let error as ExpositionError where error.message.isEmpty {
                throw FuzzFinding("an error without a word")
            } catch is ExpositionError {}
        }
        return isTaken
    }

    private static func read(_ parser: consuming ExpositionParser) throws {
        while let event = try parser.next() {
            guard case .series(let line) = event else { continue }
            _ = try parser.labels(of: line.text)
            if let exemplar = line.exemplar { _ = try? parser.labels(of: exemplar) }
            guard let index = line.histogram else { continue }
            let histogram = parser.histogram(index)
            for exemplar in parser.exemplars(ofHistogram: index) { _ = try? parser.labels(of: exemplar) }
            if (try? histogram.validate()) != nil {
                _ = histogram.quantile(0.5)
                var coarse = histogram
                coarse.reduceResolution(to: -4)
            }
        }
    }

    // MARK: Inputs

    static func body(_ random: inout SeededRandom) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) { bytes += family(&random) }
        return bytes
    }

    private static func family(_ random: inout SeededRandom) -> [UInt8] {
        let type = Int64.random(in: 0...5, using: &random)
        let seed = random.next()
        return ProtobufMessage.family(
            ["up", "a.b", "http_requests_total", "size_bytes"].randomElement(using: &random) ?? "x", type: type,
            unit: Bool.random(using: &random) ? "" : "bytes",
            { metric in
                var random = SeededRandom(seed: seed)
                if Bool.random(using: &random) { metric.label("path", "/\"\n") }
                if Bool.random(using: &random) { metric.integer(6, Int64.random(in: -5...1 << 40, using: &random)) }
                switch type {
                case 2: metric.message(4) { summary(&$0, &random) }
                case 4, 5: metric.message(7) { histogram(&$0, &random) }
                default: metric.message([3, 2, 4, 5][Int(type)]) { $0.double(1, Double(random.next() % 1000)) }
                }
            })
    }

    private static func summary(_ message: inout ProtobufMessage, _ random: inout SeededRandom) {
        message.integer(1, 7)
        message.double(2, 1.5)
        for quantile in [0.5, 0.9] {
            message.message(3) {
                $0.double(1, quantile)
                $0.double(2, 4)
            }
        }
    }

    private static func histogram(_ message: inout ProtobufMessage, _ random: inout SeededRandom) {
        let buckets = Int.random(in: 0...4, using: &random)
        message.integer(1, Int64(buckets))
        message.double(2, 1.5)
        for index in 0..<buckets { message.bucket(Double(index), Int64(index + 1), exemplar: { $0.double(2, 1) }) }
        guard Bool.random(using: &random) else { return }
        message.zigzag(5, Int64.random(in: -5...10, using: &random))
        message.double(6, 0.001)
        message.integer(7, 1)
        let length = Int64.random(in: 1...5, using: &random)
        message.span(12, Int64.random(in: -20...20, using: &random), length)
        for _ in 0..<length { message.zigzag(13, Int64.random(in: -1...3, using: &random)) }
        message.message(16) {
            $0.label("trace_id", "x")
            $0.double(2, 1)
            $0.message(3) { $0.integer(1, 1_700_000_000) }
        }
    }
}
