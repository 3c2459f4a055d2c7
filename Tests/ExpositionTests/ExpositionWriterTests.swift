import Exposition
import SeriesModel
import TestSupport
import Testing

@Suite("Writing expositions")
struct ExpositionWriterTests {
    private func write(_ format: ExpositionFormat) -> String {
        var writer = ExpositionWriter(format: format)
        writer.beginFamily("a_total", MetricMetadata(kind: .counter, help: "line\nbreak \"q\" \\"))
        writer.sample(["__name__": "a_total", "x": "q\"\\\n"], 1)
        writer.beginFamily("b_seconds", MetricMetadata(kind: .unknown, unit: "seconds"))
        writer.sample(["__name__": "b_seconds"], 1_234_567.5, timestamp: 1500)
        writer.sample(["__name__": "b.c", "d e": "f"], .infinity)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test("text 0.0.4 escapes what it cannot name")
    func text() {
        #expect(
            write(.text004) == """
                # HELP a_total line\\nbreak "q" \\\\
                # TYPE a_total counter
                a_total{x="q\\"\\\\\\n"} 1
                # TYPE b_seconds untyped
                b_seconds 1.2345675e+06 1500
                b_c{d_e="f"} +Inf

                """)
    }

    @Test("OpenMetrics 1.0 quotes names, has units, seconds and an end")
    func openMetrics() {
        #expect(
            write(.openMetrics100) == """
                # HELP a line\\nbreak \\"q\\" \\\\
                # TYPE a counter
                a_total{x="q\\"\\\\\\n"} 1.0
                # TYPE b_seconds unknown
                # UNIT b_seconds seconds
                b_seconds 1.2345675e+06 1.500
                {"b.c","d e"="f"} +Inf
                # EOF

                """)
    }

    @Test("what is written is read back the same", arguments: ExpositionFormat.texts)
    func roundTrip(format: ExpositionFormat) throws {
        let samples = try Entries(Array(write(format).utf8), format).samples
        #expect(samples.map(\.value) == [1, 1_234_567.5, .infinity])
        #expect(samples.map(\.timestamp) == [nil, 1500, nil])
        #expect(samples[0].labels == ["__name__": "a_total", "x": "q\"\\\n"])
        if format.canQuoteNames { #expect(samples[2].labels == ["__name__": "b.c", "d e": "f"]) }
    }
}

@Suite("Escaping of names")
struct NameEscapingTests {
    @Test("the three schemes escape as upstream does")
    func escape() throws {
        for test in try Conformance.cases("formats/name_escaping.json") {
            let name = test["input"] as? String ?? ""
            for scheme in NameEscaping.allCases {
                #expect(scheme.escape(name) == test[scheme.rawValue] as? String)
            }
            #expect(NameEscaping.dots.unescape(NameEscaping.dots.escape(name)) == test["unescaped_dots"] as? String)
            #expect(NameEscaping.values.unescape(NameEscaping.values.escape(name)) == name)
        }
    }

    @Test("malformed escapes come back unchanged")
    func unescape() throws {
        for test in try Conformance.cases("formats/name_unescape.json") {
            #expect(NameEscaping.values.unescape(test["input"] as? String ?? "") == test["unescaped"] as? String)
        }
    }

    @Test("the values scheme loses nothing", arguments: ["a.b", "é", "_", "1a", "a b_c", "\u{10FFFF}", "a:b"])
    func lossless(name: String) {
        let escaped = NameEscaping.values.escape(name)
        #expect(LabelName.isLegacyMetricName(escaped))
        #expect(NameEscaping.values.unescape(escaped) == name)
    }
}
