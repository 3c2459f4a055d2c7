import Exposition
import SeriesModel
import TestSupport

extension FuzzTarget {
    /// The text format, as a scrape reads it and as a lint does.
    static let text = exposition("text", .text100, corpus: "exposition/bodies", cases: "exposition/errors_text.json")

    static let openMetrics = exposition(
        "openmetrics", .openMetrics100, corpus: "exposition/openmetrics_corpus",
        cases: "exposition/errors_openmetrics.json")

    /// One format; another one is another such row.
    private static func exposition(
        _ name: String, _ format: ExpositionFormat, corpus: String, cases: String
    ) -> FuzzTarget {
        FuzzTarget(
            name: name,
            seeds: {
                let vectors = (try? Conformance.cases(cases)) ?? []
                return ExpositionTarget.own(format) + vectors.map { Conformance.bytes($0["input"]) }
                    + SeedFiles.all(in: corpus) { !$0.hasSuffix(".json") && !$0.hasSuffix(".md") }
            }, words: ExpositionTarget.words,
            generate: { random in ExpositionTarget.body(format, &random) },
            makeRun: { { input in try ExpositionTarget.run(input, format) } })
    }
}

private enum ExpositionTarget {
    static func run(_ input: [UInt8], _ format: ExpositionFormat) throws -> Bool {
        if !format.isOpenMetrics {
            let check = MetricsCheck(input, lints: true, extended: true)
            if check.status == 1, check.errors.isEmpty { throw FuzzFinding("an error without a word") }
        }
        return try input.withUnsafeBytes { bytes in
            var parser = ExpositionParser(bytes, format: format)
            var expecting = ExpositionParser(bytes, format: format)
            var writer = ExpositionWriter(format: .text100)
            var samples: [(labels: LabelSet, value: Double, timestamp: Timestamp?)] = []
            do throws(ExpositionError) {
                while let event = try parser.next() {
                    guard case .series(let line) = event else {
                        _ = try expecting.next()
                        _ = texts(of: event, parser)
                        continue
                    }
                    let labels = try parser.labels(of: line.text)
                    _ = try line.exemplar.map { (exemplar) throws(ExpositionError) in try parser.labels(of: exemplar) }
                    // OpenMetrics knows times before 1970, the text format does not.
                    let timestamp = line.timestamp.flatMap { $0 < 0 ? nil : $0 }
                    samples.append((labels, line.value, timestamp))
                    writer.sample(labels, line.value, timestamp: timestamp)
                    let text = UnsafeRawBufferPointer(rebasing: bytes[line.text])
                    if let again = try expecting.next(expecting: text) {
                        if !isSame(line, again) { try mismatch(line.text) }
                    } else {
                        _ = try expecting.next()
                    }
                }
            } catch {
                if error.message == mismatchWord { throw FuzzFinding("an expected line reads differently: \(error)") }
                if error.message.isEmpty { throw FuzzFinding("an error without a word") }
                return false
            }
            try check(samples, against: writer)
            return true
        }
    }

    private static let mismatchWord = "reads differently"

    private static func mismatch(_ place: Range<Int>) throws(ExpositionError) {
        throw ExpositionError(line: place.lowerBound, message: mismatchWord)
    }

    private static func isSame(_ a: SeriesLine, _ b: SeriesLine) -> Bool {
        a.text == b.text && a.value.bitPattern == b.value.bitPattern && a.timestamp == b.timestamp
            && a.exemplar?.labels == b.exemplar?.labels
    }

    private static func texts(of event: ExpositionEvent, _ parser: ExpositionParser) -> [String] {
        switch event {
        case .type(let metric, _): [parser.metricName(metric)]
        case .help(let metric, let text), .unit(let metric, let text):
            [parser.metricName(metric), parser.helpText(text)]
        default: []
        }
    }

    /// What our writer makes of samples must be read as the same samples.
    private static func check(
        _ samples: [(labels: LabelSet, value: Double, timestamp: Timestamp?)], against writer: ExpositionWriter
    ) throws {
        let text = writer.finish()
        try text.withUnsafeBytes { bytes in
            var parser = ExpositionParser(bytes, format: .text100)
            var rest = samples[...]
            do throws(ExpositionError) {
                while let event = try parser.next() {
                    guard case .series(let line) = event, let sample = rest.popFirst() else { continue }
                    let isSame =
                        try parser.labels(of: line.text) == sample.labels
                        && line.value.bitPattern == sample.value.bitPattern && line.timestamp == sample.timestamp
                    if !isSame { try mismatch(line.text) }
                }
            } catch {
                throw FuzzFinding(
                    "what is written is not what was read: \(error): \(String(decoding: text, as: UTF8.self))")
            }
            if !rest.isEmpty { throw FuzzFinding("\(rest.count) written samples are not read") }
        }
    }

    // MARK: Inputs

    static func own(_ format: ExpositionFormat) -> [[UInt8]] {
        let ending = format.isOpenMetrics ? "# EOF\n" : ""
        let bodies = [
            "# HELP a b\\n\\\\\n# TYPE a histogram\na_bucket{le=\"1\",x=\"é\\\"\\n\"} 1\na_bucket{le=\"+Inf\"} 2\na_sum 1e-5\n"
                + "a_count 2\n",
            "{\"a.b\",\"c d\"=\"e\"} NaN\nb -Inf\nb_total{x=\"1\",y=\"2\"} 0.5\n",
            "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n",
            "# TYPE a_seconds counter\n# HELP a_seconds t\na_seconds_total{x=\"1\"} 1.5 1\n",
        ]
        var seeds = bodies.map { Array(($0 + ending).utf8) }
        if format.isOpenMetrics {
            seeds.append(
                Array(
                    "# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1 1.5 # {t=\"u\"} 0.5 1.25\n# EOF\n"
                        .utf8))
        }
        return seeds
    }

    static let words = [
        "# HELP ", "# TYPE ", "# UNIT ", "# EOF\n", "counter", "gauge", "histogram", "summary", "untyped", "unknown",
        "info", "stateset", "gaugehistogram", "\n", " ", "\t", "{", "}", "=", ",", "\"", "\\", "\\n", "\\\"", "a", "b",
        "a_bucket", "a_sum", "a_count", "a_total", "a_created", "le=\"1\"", "le=\"+Inf\"", "quantile=\"0.5\"",
        "__name__", "x=\"y\"", "\"a.b\"", "\u{e9}", "\0", "\r\n", "1", "-1", "1.5", "1e308", "1e-400", "NaN", "+Inf",
        "-Inf", "0x1p3", "1_000", " 1700000000000", " # {t=\"u\"} 0.5", " # {} 1 1.5", "#", ":",
    ]

    /// A good body.
    static func body(_ format: ExpositionFormat, _ random: inout SeededRandom) -> [UInt8] {
        var text = ""
        for family in 0..<1 + random.below(5) {
            let kind = random.pick(["counter", "gauge", "histogram", "summary"])
            let name = "m\(family)" + (kind == "counter" && !format.isOpenMetrics ? "_total" : "")
            if random.chance(70) { text += "# HELP \(name) some \\n text\n" }
            if random.chance(80) { text += "# TYPE \(name) \(kind)\n" }
            let suffix = kind == "counter" && format.isOpenMetrics ? "_total" : ""
            for _ in 0..<1 + random.below(4) {
                let labels = (0..<random.below(4)).map { "l\($0)=\"\(random.pick(["", "a", "\\\"", "é", "x y"]))\"" }
                let value = random.pick(["0", "1", "-2.5", "1e9", "NaN", "+Inf", "0.1"])
                let time = random.chance(20) ? (format.isOpenMetrics ? " 1700000000.5" : " 1700000000500") : ""
                text += "\(name)\(suffix){\(labels.joined(separator: ","))} \(value)\(time)\n"
            }
        }
        return Array((text + (format.isOpenMetrics ? "# EOF\n" : "")).utf8)
    }
}
