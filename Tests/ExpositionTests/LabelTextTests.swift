import Exposition
import SeriesModel
import Testing

@Suite("Labels of a series text")
struct LabelTextTests {
    @Test("empty values are no labels, but are told apart for honor_labels")
    func emptyValues() throws {
        try Array("a{x=\"\",b=\"1\"} 1".utf8).withUnsafeBytes { bytes in
            var parser = ExpositionParser(bytes, format: .text004)
            guard case .series(let line)? = try parser.next() else { return }
            #expect(try parser.labels(of: line.text) == ["__name__": "a", "b": "1"])
            #expect(
                try parser.labelPairs(of: line.text) == [Label("__name__", "a"), Label("b", "1"), Label("x", "")])
        }
    }

    @Test("labels come out sorted by bytes whatever their order in the text")
    func sorted() throws {
        let names = ["z", "A", "é", "__a", "a", "B", "zz", "\u{1F600}"]
        let text = "m{" + names.map { "\"\($0)\"=\"1\"" }.joined(separator: ",") + "} 1"
        let labels = try #require(try Entries(text).samples.first).labels
        let sorted = (names + ["__name__"]).sorted { $0.precedesByBytes($1) }
        #expect(labels.map(\.name) == sorted)
    }
}
