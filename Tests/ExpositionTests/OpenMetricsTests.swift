import Exposition
import SeriesModel
import Testing

@Suite("OpenMetrics")
struct OpenMetricsTests {
    private func samples(_ lines: String) throws -> [Entries.Sample] {
        try Entries(lines + "\n# EOF\n", .openMetrics100).samples
    }

    @Test("timestamps are seconds")
    func timestamps() throws {
        let read = try samples("a 1 1.5\nb 1 -1\nc 1 1e30\nd 1 1520879607.789")
        #expect(read.map(\.timestamp) == [1500, -1000, .max, 1_520_879_607_789])
    }

    @Test("exemplars are read with their labels, value and time")
    func exemplars() throws {
        let read = try samples("a_total 1 # {trace_id=\"x\"} 0.5 1.25\nb 1 2 # {} 3\nc 1")
        #expect(read.map(\.exemplar) == [["trace_id": "x"], .empty, nil])
        #expect(read.map(\.exemplarValue) == [0.5, 3, nil])
        #expect(read.map(\.exemplarTimestamp) == [1250, nil, nil])
        #expect(read.map(\.timestamp) == [nil, 2000, nil])
    }

    @Test("all types are known")
    func types() throws {
        for kind in MetricMetadata.Kind.allCases {
            let entries = try Entries("# TYPE a \(kind)\n# EOF", .openMetrics001).entries
            guard case .type("a", kind) = entries[0] else {
                Issue.record("\(kind)")
                continue
            }
        }
    }

    @Test("_created lines are ordinary series")
    func created() throws {
        #expect(try samples("# TYPE a counter\na_total 1\na_created 123.5").map(\.value) == [1, 123.5])
    }

    @Test(
        "bad bodies are refused",
        arguments: [
            "a 1", "a 1\n", "a  1\n# EOF", "a 1\n\n# EOF", "a 1 \n# EOF", "# EOF\na 1", "a{x=\"1\" } 1\n# EOF",
            "a{ x=\"1\"} 1\n# EOF", "a 1 # {x=\"1\"}\n# EOF", "a 1 # {x=\"1\"} 1 2 3\n# EOF", "a 1 NaN\n# EOF",
            "# TYPE a untyped\n# EOF", "# UNIT a seconds\n# EOF", "# comment\n# EOF", "a{x=\"1\n\"} 1\n# EOF",
            "a 1\r\n# EOF\r\n", "# HELP a\n# EOF", "a 1 1_0\n# EOF",
        ])
    func refused(body: String) {
        #expect(Entries.error(body, .openMetrics100) != nil)
    }
}
