import Exposition
import SeriesModel
import Testing

@Suite("Reading a line that is expected")
struct ExpectedLineTests {
    private func lines(_ body: String, expecting texts: [String], _ format: ExpositionFormat) throws -> [Double?] {
        try Array(body.utf8).withUnsafeBytes { bytes in
            var parser = ExpositionParser(bytes, format: format)
            return try texts.map { text in
                try Array(text.utf8).withUnsafeBytes { try parser.next(expecting: $0)?.value }
            }
        }
    }

    @Test("lines that are the expected ones are read, in both grammars")
    func hits() throws {
        for format in [ExpositionFormat.text004, .openMetrics100] {
            let values = try lines(
                "a{x=\"1\"} 1\na 2 3\nb 3\n# EOF\n", expecting: ["a{x=\"1\"}", "a", "b"], format)
            #expect(values == [1, 2, 3])
        }
    }

    @Test("another line is left to be read as usual")
    func misses() throws {
        let values = try lines(
            "a{x=\"1\"} 1\n", expecting: ["a", "a{x=\"2\"}", "a{x=\"1\"} 1\n", "", "a{x=\"1\"}"], .text004)
        #expect(values == [nil, nil, nil, nil, 1])
    }

    @Test("a name with its labels behind white space is not the bare name")
    func bareName() throws {
        #expect(try lines("a {x=\"1\"} 1\n", expecting: ["a"], .text004) == [nil])
    }

    @Test("errors in the rest of an expected line are found")
    func errors() {
        #expect(throws: ExpositionError.self) { try lines("a 1 2 3\n", expecting: ["a"], .text004) }
        #expect(throws: ExpositionError.self) { try lines("a 1", expecting: ["a"], .openMetrics100) }
    }
}
