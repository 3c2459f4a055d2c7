import SeriesModel
import Testing

@testable import Exposition

@Suite("Exposition: classic histograms become native ones")
struct ClassicConversionTests {
    private let text = """
        # HELP latency How long.
        # TYPE latency histogram
        latency_bucket{path="/a",le="1"} 2
        latency_bucket{path="/a",le="2.5"} 5
        latency_bucket{path="/a",le="+Inf"} 6
        latency_sum{path="/a"} 9
        latency_count{path="/a"} 6
        latency_bucket{path="/b",le="1"} 1
        latency_bucket{path="/b",le="+Inf"} 1
        latency_sum{path="/b"} 0.5
        latency_count{path="/b"} 1
        # TYPE up gauge
        up 1

        """

    @Test("the series of one histogram are one sample with custom bounds; what is none stays as it is")
    func converted() throws {
        let entries = try DecodedEntries(converting: text)
        #expect(
            entries.lines == [
                "HELP latency How long.", "TYPE latency histogram", #"{__name__="latency", path="/a"} histogram"#,
                #"{__name__="latency", path="/b"} histogram"#, "TYPE up gauge", #"{__name__="up"} 1"#,
            ])
        let histogram = try #require(entries.histograms[#"{__name__="latency", path="/a"}"#])
        #expect(histogram.customBounds == [1, 2.5])
        #expect(histogram.positive.counts == [2, 3, 1])
        #expect((histogram.count, histogram.sum) == (6, 9))
    }

    @Test("the classic series are kept where that is asked for")
    func kept() throws {
        let lines = try DecodedEntries(converting: text, keepsClassic: true).lines
        #expect(lines.count { $0.contains("_bucket") } == 5)
        #expect(lines.count { $0.hasSuffix("histogram") && !$0.hasPrefix("TYPE") } == 2)
        #expect(lines.contains(#"{__name__="latency_bucket", le="2.5", path="/a"} 5"#))
    }

    @Test("counts that contradict each other make no histogram")
    func contradiction() throws {
        let entries = try DecodedEntries(
            converting: "# TYPE x histogram\nx_bucket{le=\"1\"} 3\nx_bucket{le=\"+Inf\"} 2\nx_count 2\nx_sum 1\n")
        #expect(entries.lines == ["TYPE x histogram"])
    }

    @Test("exemplars of the buckets are those of the histogram")
    func exemplars() throws {
        let entries = try DecodedEntries(
            converting: """
                # TYPE x histogram
                x_bucket{le="1"} 3 # {id="a"} 0.5 1.5
                x_bucket{le="+Inf"} 4 # {id="b"} 7
                x_count 4
                x_sum 9
                # EOF

                """, .openMetrics100)
        #expect(entries.lines.last == ##"{__name__="x"} histogram # {id="a"} 0.5 @1500 # {id="b"} 7"##)
    }

    @Test("a family that is not of type histogram is not converted")
    func untyped() throws {
        let entries = try DecodedEntries(converting: "x_bucket{le=\"1\"} 3\nx_count 3\n")
        #expect(entries.lines.count == 2)
        #expect(entries.histograms.isEmpty)
    }
}
