import SeriesModel
import TestSupport
import Testing

@testable import Exposition

@Suite("When counters began")
struct StartTimestampTests {
    /// Series with the start that the parser tells of each; histograms as `histogram`.
    private func starts(
        _ body: [UInt8], _ format: ExpositionFormat, _ handling: HistogramHandling = HistogramHandling(),
        takesStarts: Bool = true
    ) throws -> [String] {
        try body.withUnsafeBytes { bytes in
            try ExpositionParser.withParser(of: bytes, format, handling, takesStarts: takesStarts) { parser in
                var (parser, lines): (ExpositionParser, [String]) = (parser, [])
                while let event = try parser.next() {
                    guard case .series(let line) = event else { continue }
                    let value = line.histogram == nil ? NumberText.general(line.value) : "histogram"
                    let start = parser.startTimestamp.map { " since \($0)" } ?? ""
                    lines.append("\(try parser.labels(of: line.text).metricNotation) \(value)\(start)")
                }
                return lines
            }
        }
    }

    private static let text = """
        # TYPE a counter
        a_total{x="1"} 5 # {t="z"} 1
        a_created{x="1"} 1.5
        a_total{x="2"} 6
        # TYPE h histogram
        h_bucket{x="1",le="1"} 2
        h_bucket{x="1",le="+Inf"} 3
        h_count{x="1"} 3
        h_sum{x="1"} 4
        h_created{x="1"} 1e3
        h_bucket{x="2",le="+Inf"} 3
        h_created{x="3"} 7
        # TYPE s summary
        s{quantile="0.5"} 2
        s_count 1
        s_sum 2
        s_created 2
        # TYPE g gauge
        g_created 4
        # EOF

        """

    @Test("OpenMetrics says so in series of their own, which are none then; each is of the series before it")
    func openMetrics() throws {
        #expect(
            try starts(Array(StartTimestampTests.text.utf8), .openMetrics100) == [
                #"a_total{x="1"} 5 since 1500"#, #"a_total{x="2"} 6"#, #"h_bucket{le="1.0", x="1"} 2 since 1000000"#,
                #"h_bucket{le="+Inf", x="1"} 3 since 1000000"#, #"h_count{x="1"} 3 since 1000000"#,
                #"h_sum{x="1"} 4 since 1000000"#, #"h_bucket{le="+Inf", x="2"} 3"#, #"s{quantile="0.5"} 2 since 2000"#,
                "s_count 1 since 2000", "s_sum 2 since 2000", "g_created 4",
            ])
    }

    @Test("Where nobody asks, they are series like others")
    func notAsked() throws {
        let lines = try starts(Array(StartTimestampTests.text.utf8), .openMetrics100, takesStarts: false)
        #expect(lines.contains(#"a_created{x="1"} 1.5"#) && lines.contains("s_created 2"))
        #expect(lines.allSatisfy { !$0.contains("since") })
    }

    @Test("A converted classic histogram has the start of its series")
    func converted() throws {
        let handling = HistogramHandling(takesNative: true, convertsClassic: true)
        let lines = try starts(Array(StartTimestampTests.text.utf8), .openMetrics100, handling)
        #expect(lines.contains(#"h{x="1"} histogram since 1000000"#))
        #expect(lines.contains(#"h{x="2"} histogram"#))
        #expect(lines.contains(#"a_total{x="1"} 5 since 1500"#))
    }

    @Test("Messages have it beside the value of counters, summaries and histograms")
    func protobuf() throws {
        func start(_ seconds: Int64) -> (inout ProtobufMessage) -> Void {
            {
                $0.integer(1, seconds)
                $0.integer(2, 7_000_000)
            }
        }
        let body =
            ProtobufMessage.family(
                "c", type: 0,
                {
                    $0.message(3) {
                        $0.double(1, 5); $0.message(3, start(1))
                    }
                })
            + ProtobufMessage.family("g", type: 1, { $0.message(2) { $0.double(1, 5) } })
            + ProtobufMessage.family(
                "s", type: 2,
                {
                    $0.message(4) {
                        $0.integer(1, 1); $0.message(4, start(2))
                    }
                })
            + ProtobufMessage.family(
                "h", type: 4,
                {
                    $0.message(7) {
                        $0.integer(1, 1)
                        $0.zigzag(5, 0)
                        $0.span(12, 0, 1)
                        $0.zigzag(13, 1)
                        $0.message(15, start(3))
                    }
                })
        let handling = HistogramHandling(takesNative: true)
        #expect(
            try starts(body, .protobuf, handling) == [
                "c 5 since 1007", "g 5", "s_count 1 since 2007", "s_sum 0 since 2007", "h histogram since 3007",
            ])
        #expect(try starts(body, .protobuf, handling, takesStarts: false).allSatisfy { !$0.contains("since") })
    }

    @Test("Times that fit no clock are none", arguments: ["NaN", "+Inf", "1e300", "0"])
    func hostile(time: String) throws {
        let text = "# TYPE a counter\na_total 5\na_created \(time)\n# EOF\n"
        let lines = try starts(Array(text.utf8), .openMetrics100)
        #expect(lines.count == 1 && lines[0].hasPrefix("a_total 5"))
    }
}
