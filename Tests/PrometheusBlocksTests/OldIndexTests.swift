import ByteCoding
import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import PrometheusBlocks

@Suite("An index of version 1")
struct OldIndexTests {
    /// Symbols are named by their place in the file, series by the place of their entry, and pairs are not in order.
    private static func index(_ series: [LabelSet]) -> [UInt8] {
        var file = ByteBuilder()
        func section(_ content: [UInt8]) -> Int {
            let place = file.count
            file.appendBigEndian(UInt32(content.count))
            file.append(contentsOf: content)
            file.appendBigEndian(CRC32C.checksum(content))
            return place
        }
        file.appendBigEndian(PrometheusFormat.indexMagic)
        file.append(UInt8(1))
        let texts = Set(series.flatMap { $0.flatMap { [$0.name, $0.value] } }).sorted { $0.precedesByBytes($1) }
        var symbols = ByteBuilder()
        symbols.appendBigEndian(UInt32(texts.count))
        var places: [String: Int] = [:]
        for text in texts {
            places[text] = file.count + 4 + symbols.count
            symbols.appendSized(Array(text.utf8))
        }
        var contents = IndexContents()
        contents.symbols = section(symbols.bytes)
        contents.series = file.count
        var references: [UInt32] = []
        var lists: [[String]: [UInt32]] = [:]
        for (number, labels) in series.enumerated() {
            var entry = ByteBuilder()
            entry.appendVarint(labels.count)
            for label in labels {
                entry.appendVarint(places[label.name] ?? 0)
                entry.appendVarint(places[label.value] ?? 0)
                lists[[label.name, label.value], default: []].append(UInt32(file.count))
            }
            entry.appendVarint(1)
            entry.appendZigzag(Int64(number))
            entry.appendVarint(10)
            entry.appendVarint(8)
            references.append(UInt32(file.count))
            file.appendSized(entry.bytes)
            file.appendBigEndian(CRC32C.checksum(entry.bytes))
        }
        lists[["", ""]] = references
        var table = ByteBuilder()
        table.appendBigEndian(UInt32(lists.count))
        for pair in lists.keys.sorted(by: { $0[1] > $1[1] }) {
            var list = ByteBuilder()
            list.appendBigEndian(UInt32(lists[pair]?.count ?? 0))
            for reference in lists[pair] ?? [] { list.appendBigEndian(reference) }
            let place = section(list.bytes)
            table.append(UInt8(2))
            for text in pair { table.appendSized(Array(text.utf8)) }
            table.appendVarint(place)
        }
        contents.postingsTable = section(table.bytes)
        return file.bytes + contents.encoded
    }

    @Test("gives labels, postings and chunks like a newer one")
    func read() throws {
        let series = (0..<50).map { LabelSet([Label("a", "\($0 % 7)"), Label("b", "x\($0)"), Label("c", "\u{E9}")]) }
            .sorted()
        var index = try PrometheusIndex(MappedFile(path: "index", bytes: OldIndexTests.index(series)))
        #expect(try index.references().count == 50)
        #expect(try index.labelNames().map { String(decoding: $0, as: UTF8.self) } == ["a", "b", "c"])
        #expect(try index.labelValues(of: Array("a".utf8)).count == 7)
        for number in series.indices {
            #expect(try index.labels(of: UInt32(number)) == series[number])
            let chunk = try #require(try index.chunks(of: UInt32(number)).first)
            #expect(chunk.range == TimeRange(min: Int64(number), max: Int64(number) + 10))
            #expect(chunk.offset == 8)
        }
        let expected = series.indices.filter { series[$0]["a"] == "3" }.map { UInt32($0) }
        #expect(try index.postings(name: Array("a".utf8), value: Array("3".utf8)) == expected)
    }

    @Test("gives an error or the same answers, whichever byte was changed")
    func damage() throws {
        let series = (0..<4).map { LabelSet([Label("a", "\($0 % 2)"), Label("b", "x\($0)")]) }.sorted()
        let bytes = OldIndexTests.index(series)
        func labels(_ bytes: [UInt8]) throws -> [LabelSet] {
            var index = try PrometheusIndex(MappedFile(path: "index", bytes: bytes))
            return try index.references().indices.map { try index.labels(of: UInt32($0)) }
        }
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= 0x04
            let found = try? labels(changed)
            #expect(found == nil || found == series, "byte \(position)")
        }
    }
}
