import Exposition
import SeriesModel
import Testing

@Suite("Text format 0.0.4 and 1.0.0")
struct TextFormatTests {
    private func sample(_ line: String) throws -> Entries.Sample {
        try #require(try Entries(line).samples.first)
    }

    @Test("tabs, spaces, blank lines and a missing last newline are taken")
    func whiteSpace() throws {
        let samples = try Entries("\n a\t1\n\n\tb { x = \"1\" , y=\"2\", }  2 \t 3  \n\t\nc 3").samples
        #expect(
            samples.map(\.labels) == [
                ["__name__": "a"], ["__name__": "b", "x": "1", "y": "2"], ["__name__": "c"],
            ])
        #expect(samples.map(\.value) == [1, 2, 3])
        #expect(samples.map(\.timestamp) == [nil, 3, nil])
    }

    @Test("a missing comma between labels is taken")
    func missingComma() throws {
        #expect(try sample("a{x=\"1\" y=\"2\"} 1").labels == ["__name__": "a", "x": "1", "y": "2"])
    }

    @Test("names in quotes may be anything, also among the labels")
    func quotedNames() throws {
        #expect(try sample("{\"a.b\",\"c d\"=\"1\"} 1").labels == ["__name__": "a.b", "c d": "1"])
        #expect(try sample("{x=\"1\",\"a.b\"} 1").labels == ["__name__": "a.b", "x": "1"])
        #expect(try Entries("# TYPE \"a.b\" counter\n# HELP \"a.b\" text").entries.count == 2)
    }

    @Test("escapes are undone in values, names and help, unknown ones stay")
    func escapes() throws {
        let entries = try Entries("a{x=\"q\\\" b\\\\ n\\n t\\t\"} 1\n# HELP a b\\\\ n\\n q\\\"\n").entries
        guard case .sample(let sample) = entries[0], case .help(_, let help) = entries[1] else {
            Issue.record("other entries")
            return
        }
        #expect(sample.labels["x"] == "q\" b\\ n\n t\\t")
        #expect(help == "b\\ n\n q\\\"")
    }

    @Test(
        "values are Go floats",
        arguments: [
            ("1", 1.0), ("-0", -0.0), ("+1.5", 1.5), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("1E-3", 0.001),
            ("12345678901234567890", 12345678901234567890.0), ("7.424100000000001e-05", 7.424100000000001e-05),
            ("9007199254740993", 9007199254740992), ("1e308", 1e308), ("1e-400", 0),
            ("4.9e-324", .leastNonzeroMagnitude),
            ("0.1", 0.1), ("123456.789e-10", 123456.789e-10), ("1e22", 1e22), ("1e23", 1e23), ("+Inf", .infinity),
            ("-inf", -.infinity), ("Infinity", .infinity), ("00012", 12),
        ])
    func values(text: String, value: Double) throws {
        #expect(try sample("a \(text)\n").value.bitPattern == value.bitPattern)
    }

    @Test("every NaN becomes the ordinary one, so that a target cannot send a stale marker")
    func nan() throws {
        for text in ["NaN", "nan", "NAN"] {
            #expect(try sample("a " + text).value.bitPattern == StaleMarker.ordinaryNaNBits)
        }
    }

    @Test(
        "bad lines are refused with their line number",
        arguments: [
            ("a 1\na{x=\"1\"", 2), ("a 1\n\n\nb", 4), ("a 1 2 3", 1), ("a 1 -2", 1), ("a 1 1.5", 1),
            ("a{x=\"1\",x=\"2\"} 1", 1), ("a 1\n# TYPE a unknown", 2), ("{} 1", 1), ("{x=\"1\"} 1", 1),
            ("{\"a\",\"b\"} 1", 1), ("a{\"b\"} 1", 1), ("{\"\"} 1", 1), ("a 0x10", 1), ("a 1e999", 1),
            ("a 1 99999999999999999999", 1), ("a 1\n1a 1", 2), ("a{x=\"\\\n\"} 1", 1),
            ("a 1\nb{__name__=\"c\"} 1", 2),
        ])
    func refused(body: String, line: Int) {
        #expect(Entries.error(body)?.line == line)
    }

    @Test("CR LF line ends are refused with a hint")
    func carriageReturn() {
        #expect(Entries.error("a 1\r\nb 2\r\n")?.message.contains("CR LF") == true)
    }

    @Test("labels that are no UTF-8 are refused: values at once, names where labels are read")
    func invalidUTF8() {
        #expect(Entries.error(Array("a{x=\"".utf8) + [0xFF] + Array("\"} 1".utf8), .text100) != nil)
        #expect(Entries.error(Array("a{\"".utf8) + [0xFF] + Array("\"=\"1\"} 1".utf8), .text100) != nil)
        #expect(Entries.error(Array("# HELP a ".utf8) + [0xC0, 0x80], .text100) != nil)
    }

    @Test("error texts are bounded")
    func boundedErrors() {
        let error = Entries.error("a{x=\"" + String(repeating: "y", count: 1 << 20) + "\"} z")
        #expect((error?.message.utf8.count ?? .max) < 1000)
    }

    @Test("le and quantile are brought to one form in histograms and summaries only")
    func normalizedBounds() throws {
        let body = """
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="1e6"} 1
            h_bucket{le="0.10"} 1
            h_bucket{le="x"} 1
            # TYPE s summary
            s{quantile="0"} 1
            s{le="1"} 1
            # TYPE g gauge
            g{le="1"} 1
            """
        let labels = try Entries(body).samples.map { $0.labels["le"] ?? $0.labels["quantile"] }
        #expect(labels == ["1.0", "1e+06", "0.1", "x", "0.0", "1", "1"])
    }
}
