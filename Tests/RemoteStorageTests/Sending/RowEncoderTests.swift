import ByteCoding
import SeriesModel
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("Requests made of rows")
struct RowEncoderTests {
    private static let up: LabelSet = ["__name__": "up", "job": "a"]
    private static let down: LabelSet = ["__name__": "down", "job": "a", "long": String(repeating: "x", count: 300)]

    private struct Encoded {
        var request: DecodedRequest
        var again: DecodedRequest
    }

    /// Rows of two series, encoded twice with the same encoder.
    private func encode(
        _ version: RemoteWriteSection.Message, book: MetadataBook = MetadataBook(),
        _ fill: (inout SampleRows, UInt32, UInt32, SeriesPreparation) -> Void
    ) throws -> Encoded {
        let preparation = SeriesPreparation(external: ExternalLabels(.empty), rules: [], message: version)
        var table = SeriesTable()
        table.set(0, RowEncoderTests.up, from: 0, preparation)
        table.set(1, RowEncoderTests.down, from: 0, preparation)
        var rows = SampleRows()
        fill(&rows, table.slot(of: 0), table.slot(of: 1), preparation)
        var encoder = RowEncoder(version)
        func decode(_ message: [UInt8]) throws -> DecodedRequest {
            version == .version1 ? try .version1(message) : try .version2(message)
        }
        return Encoded(
            request: try decode(encoder.encode(rows, &table, book)),
            again: try decode(encoder.encode(rows, &table, book)))
    }

    private func mixed(_ series: DecodedRequest.Series) -> [MixedSample] {
        series.samples.map {
            switch $0 {
            case .float(let time, let value): MixedSample(time, value)
            case .histogram(let time, let histogram): MixedSample(time, histogram)
            }
        }
    }

    @Test("floats keep every bit, in the rows' order", arguments: RemoteWriteSection.Message.allCases)
    func floats(version: RemoteWriteSection.Message) throws {
        let values = [0.0, -0.0, 1.5, .infinity, StaleMarker.value, StaleMarker.ordinaryNaN, Double(bitPattern: 5)]
        let times: [Timestamp] = [0, 1, -5, .max, .min, 1_700_000_000_000, 7]
        let encoded = try encode(version) { rows, up, down, _ in
            for (index, (time, value)) in zip(times, values).enumerated() {
                rows.append(slot: index % 2 == 0 ? up : down, time, value, record: 1)
            }
        }
        for request in [encoded.request, encoded.again] {
            #expect(
                request.series.map(\.labels) == (0..<7).map { $0 % 2 == 0 ? RowEncoderTests.up : RowEncoderTests.down })
            #expect(request.series.flatMap(mixed) == zip(times, values).map { MixedSample($0, $1) })
        }
    }

    @Test("histograms come out as they went in", arguments: RemoteWriteSection.Message.allCases)
    func histograms(version: RemoteWriteSection.Message) throws {
        var random = SeededRandom(seed: 77)
        var all: [NativeHistogram] = []
        for _ in 0..<200 {
            let next = Histograms.next(after: all.last, using: &random)
            if !next.isStale { all.append(next) }
        }
        let encoded = try encode(version) { rows, up, _, _ in
            for (index, histogram) in all.enumerated() {
                rows.append(slot: up, Timestamp(index), 0.5, record: 1)
                rows.append(slot: up, Timestamp(index) + 1000, histogram, record: 1)
            }
        }
        let expected = all.enumerated().flatMap {
            [MixedSample(Timestamp($0.offset), 0.5), MixedSample(Timestamp($0.offset) + 1000, $0.element)]
        }
        #expect(encoded.request.series.flatMap(mixed) == expected)
        let hints = encoded.request.series.flatMap(\.samples).compactMap {
            sample -> NativeHistogram.CounterResetHint? in
            if case .histogram(_, let histogram) = sample { histogram.counterResetHint } else { nil }
        }
        #expect(hints == all.map(\.counterResetHint))
    }

    @Test("exemplars stand with their series", arguments: RemoteWriteSection.Message.allCases)
    func exemplars(version: RemoteWriteSection.Message) throws {
        let exemplars = [
            Exemplar(labels: ["trace_id": "abc"], value: 0.25, timestamp: 5),
            Exemplar(labels: .empty, value: -0.0, timestamp: 0),
        ]
        let encoded = try encode(version) { rows, _, _, preparation in
            for exemplar in exemplars {
                rows.append(
                    SampleRows.ExemplarRow(series: preparation.bytes(of: RowEncoderTests.down), exemplar: exemplar),
                    record: 1)
            }
        }
        #expect(encoded.request.series.map(\.labels) == [RowEncoderTests.down, RowEncoderTests.down])
        #expect(encoded.request.series.flatMap(\.exemplars) == exemplars)
    }

    @Test("version 2 says each string once, the empty one first, and carries metadata")
    func symbols() throws {
        var book = MetadataBook()
        book.replace(["up": [MetricMetadata(kind: .gauge, help: "Whether it is up.", unit: "bool")]])
        let encoded = try encode(.version2, book: book) { rows, up, down, _ in
            for time in 0..<50 as Range<Timestamp> {
                rows.append(slot: up, time, 1, record: 1)
                rows.append(slot: down, time, 1, record: 1)
            }
        }
        for request in [encoded.request, encoded.again] {
            #expect(request.symbols.first == "")
            #expect(Set(request.symbols).count == request.symbols.count)
            #expect(request.symbols.count == 10)
            #expect(request.series[0].metadata?.kind == 2)
            #expect(request.series[0].metadata?.help == "Whether it is up.")
            #expect(request.series[0].metadata?.unit == "bool")
            #expect(request.series[1].metadata == nil)
        }
    }

    @Test("version 2 has all symbols before the first series: some receivers read a request in one pass")
    func symbolsFirst() throws {
        let preparation = SeriesPreparation(external: ExternalLabels(.empty), rules: [], message: .version2)
        var table = SeriesTable()
        table.set(0, RowEncoderTests.up, from: 0, preparation)
        table.set(1, RowEncoderTests.down, from: 0, preparation)
        var rows = SampleRows()
        rows.append(slot: table.slot(of: 0), 1, 1, record: 1)
        rows.append(slot: table.slot(of: 1), 1, 1, record: 1)
        let exemplar = Exemplar(labels: ["trace_id": "abc"], value: 1, timestamp: 1)
        rows.append(
            SampleRows.ExemplarRow(series: preparation.bytes(of: RowEncoderTests.up), exemplar: exemplar), record: 1)
        var encoder = RowEncoder(.version2)
        let message = encoder.encode(rows, &table, MetadataBook())
        var fields: [UInt64] = []
        try message.withUnsafeBytes { bytes in
            var cursor = WireCursor(bytes)
            while let tag = try cursor.tag() {
                fields.append(UInt64(tag.field))
                try cursor.skip(tag)
            }
        }
        let lastSymbol = try #require(fields.lastIndex(of: 4))
        let firstSeries = try #require(fields.firstIndex(of: 5))
        #expect(lastSymbol < firstSeries)
        #expect(fields.count { $0 == 5 } == 3)
    }

    @Test("ten thousand strings are told apart")
    func manySymbols() {
        var table = SymbolTable()
        for round in 0..<2 {
            for number in 0..<10_000 {
                let text = Array("value \(number)".utf8)
                #expect(text.withUnsafeBytes { table.number($0) } == UInt32(number + 1))
            }
            if round == 1 { table.removeAll() }
        }
        #expect(table.count == 1)
    }

    @Test("rows that are too old are left out, of each kind")
    func ages() {
        var rows = SampleRows()
        for time in 0..<6 as Range<Timestamp> {
            if time % 2 == 0 {
                rows.append(slot: 0, time, Double(time), record: 4)
            } else {
                rows.append(slot: 0, time, Histograms.simple(Int(time)), record: 4)
            }
            rows.append(
                SampleRows.ExemplarRow(series: [], exemplar: Exemplar(labels: .empty, value: 1, timestamp: time)),
                record: 4)
        }
        #expect(rows.oldest == 0)
        #expect(rows.drop(before: 3) == SampleRows.Counts(samples: 2, histograms: 1, exemplars: 3))
        #expect(rows.timestamps == [3, 4, 5])
        #expect(rows.histogramRows == [0, 2])
        #expect(rows.histograms == [Histograms.simple(3), Histograms.simple(5)])
        #expect(rows.exemplars.map(\.exemplar.timestamp) == [3, 4, 5])
        #expect(rows.firstRecord == 4)
        #expect(rows.newest == 5)
    }
}
