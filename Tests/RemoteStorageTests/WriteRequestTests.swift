import ByteCoding
import RemoteStorage
import SeriesModel
import TestSupport
import Testing

/// What a reader makes of a whole message.
private struct Series: Hashable {
    var labels: WriteRequestReader.SeriesLabels
    var timestamps: [Int64] = []
    var bits: [UInt64] = []
    var histogramTimes: [Int64] = []
    var exemplars: [Exemplar] = []
}

private func read(_ message: [UInt8]) throws -> [Series] {
    try message.withUnsafeBytes { bytes in
        var reader = WriteRequestReader(bytes)
        var all: [Series] = []
        while let labels = try reader.next() {
            var series = Series(labels: labels)
            while let sample = try reader.nextSample() {
                series.timestamps.append(sample.timestamp)
                series.bits.append(sample.value.bitPattern)
            }
            while let histogram = try reader.nextHistogram() { series.histogramTimes.append(histogram.timestamp) }
            while let exemplar = try reader.nextExemplar() { series.exemplars.append(exemplar) }
            all.append(series)
        }
        return all
    }
}

/// Fields of a message put together by hand.
private func sized(_ field: UInt8, _ content: [UInt8]) -> [UInt8] {
    [field << 3 | 2, UInt8(content.count)] + content
}

private func label(_ name: String, _ value: String) -> [UInt8] {
    sized(1, sized(1, Array(name.utf8)) + sized(2, Array(value.utf8)))
}

private let up = label("__name__", "up")
private let sampleOne: [UInt8] = sized(2, [0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x10, 0xE8, 0x07])

@Suite("Remote write messages")
struct WriteRequestTests {
    @Test("are read byte for byte as protobuf has them")
    func golden() throws {
        let series = try read(sized(1, up + sampleOne))
        #expect(series == [Series(labels: .valid(["__name__": "up"]), timestamps: [1000], bits: [(1.0).bitPattern])])
    }

    @Test("come back from the writer with every bit of values and times")
    func roundTrip() throws {
        let values = [0.0, -0.0, 1.5, .infinity, .nan, StaleMarker.value]
        let times: [Int64] = [0, -1, 1, 1_700_000_000_000, .min, .max]
        var writer = WriteRequestWriter()
        let labels: LabelSet = [
            "__name__": "http_requests_total", "path": "/ä\"\\", "long": String(repeating: "x", count: 300),
        ]
        for _ in 0..<2 {
            writer.beginSeries(labels)
            for (time, value) in zip(times, values) { writer.append(time, value) }
            writer.endSeries()
        }
        let series = try read(writer.bytes)
        let expected = Series(labels: .valid(labels), timestamps: times, bits: values.map(\.bitPattern))
        #expect(series == [expected, expected])
        #expect(writer.sampleCount == 12)
    }

    @Test("may have samples before labels, and labels in any order")
    func anyOrder() throws {
        let series = try read(sized(1, sampleOne + label("zone", "b") + up + label("Area", "c")))
        #expect(series.map(\.labels) == [.valid(["__name__": "up", "zone": "b", "Area": "c"])])
        #expect(series.map(\.timestamps) == [[1000]])
    }

    @Test("lose labels with empty values, which are no labels")
    func emptyValue() throws {
        #expect(try read(sized(1, up + label("a", ""))).map(\.labels) == [.valid(["__name__": "up"])])
    }

    @Test("tell which labels name no series, and go on behind them")
    func invalidLabels() throws {
        let notUTF8 = sized(1, sized(1, [0x61]) + sized(2, [0xFF]))
        let cases: [([UInt8], WriteRequestReader.LabelFault)] = [
            (label("job", "a"), .metricNameMissing),
            (label("__name__", ""), .metricNameMissing),
            ([], .metricNameMissing),
            (up + label("", "b"), .nameEmpty),
            (up + label("a", "1") + label("a", "2"), .duplicateName("a")),
            (up + label("b", "") + label("b", "2"), .duplicateName("b")),
            (up + notUTF8, .notUTF8(name: "a")),
        ]
        for (labels, fault) in cases {
            let series = try read(sized(1, labels + sampleOne) + sized(1, up + sampleOne))
            #expect(series.map(\.labels) == [.invalid(fault), .valid(["__name__": "up"])])
        }
    }

    @Test("give exemplars with their labels in order, and leave those out whose labels are invalid")
    func exemplars() throws {
        let half: [UInt8] = [0x11, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]
        let full = sized(3, label("trace_id", "abc") + label("span", "d") + half + [0x18, 0xE8, 0x07])
        let twice = sized(3, label("a", "1") + label("a", "2") + half)
        let unnamed = sized(3, label("", "1") + half)
        let series = try read(sized(1, full + up + twice + sampleOne + unnamed + sized(3, [0x18, 0x05])))
        #expect(series.map(\.labels) == [.valid(["__name__": "up"])])
        #expect(series.map(\.timestamps) == [[1000]])
        #expect(
            series.map(\.exemplars) == [
                [
                    Exemplar(labels: ["span": "d", "trace_id": "abc"], value: 0.5, timestamp: 1000),
                    Exemplar(labels: .empty, value: 0, timestamp: 5),
                ]
            ])
        // A sample's fields are not those of an exemplar.
        #expect(throws: WireError.self) { try read(sized(1, up + sized(3, [0x09, 0, 0, 0, 0, 0, 0, 0, 0]))) }
        for count in 1..<full.count {
            #expect(throws: WireError.self) { try read(sized(1, up + Array(full.prefix(count)))) }
        }
    }

    @Test("have their metadata and unknown fields stepped over")
    func otherFields() throws {
        let unknown: [UInt8] = [
            0x2D, 1, 2, 3, 4, 0x30, 0x96, 0x01, 0x39, 1, 2, 3, 4, 5, 6, 7, 8, 0x43, 0x08, 0x01, 0x44,
        ]
        let inside = sized(
            1, up + sized(4, [0x08, 5, 0x78, 9]) + unknown + sampleOne)
        let message = sized(3, [0x08, 0x01]) + inside + unknown
        let series = try read(message)
        #expect(series.map(\.timestamps) == [[1000]])
        #expect(series.map(\.histogramTimes) == [[9]])
    }

    @Test("that are empty have no series")
    func empty() throws {
        #expect(try read([]).isEmpty)
        #expect(try read(sized(1, [])).map(\.labels) == [.invalid(.metricNameMissing)])
    }

    @Test("that end early name the byte")
    func truncated() {
        let message = sized(1, up + sampleOne)
        for count in 1..<message.count {
            #expect(throws: WireError.self) { try read(Array(message.prefix(count))) }
        }
        #expect(throws: WireError(.truncated, offset: 1)) { try read([0x0A, 5, 0x0A]) }
        // A sample within the series claims more than the series holds.
        #expect(throws: WireError(.truncated, offset: 3)) { try read([0x0A, 2, 0x12, 9] + up) }
    }

    @Test("with illegal tags are refused")
    func illegalTags() {
        #expect(throws: WireError(.fieldNumber(0), offset: 0)) { try read([0x02, 0]) }
        #expect(throws: WireError(.wireType(field: 1, found: 0), offset: 1)) { try read([0x08, 0]) }
        #expect(throws: WireError(.unknownWireType(7), offset: 1)) { try read([0x17, 0]) }
        #expect(throws: WireError(.unknownWireType(4), offset: 1)) { try read([0x14]) }
        #expect(throws: WireError(.truncated, offset: 1)) { try read([0x13]) }
        let overlong: [UInt8] = [0x10] + [UInt8](repeating: 0xFF, count: 10)
        #expect(throws: WireError(.overlongVarint, offset: 1)) { try read(overlong) }
    }

    @Test("with bytes changed at random are read or refused, and nothing worse")
    func fuzz() {
        var random = SeededRandom(seed: 20)
        let histogram: [UInt8] = [0x08, 5, 0x5A, 4, 0x08, 2, 0x10, 2, 0x62, 2, 2, 4, 0x78, 9]
        let series = up + label("job", "api") + sampleOne + sampleOne + sized(4, histogram)
        let message = sized(3, [0x08, 0x01]) + sized(1, series)
        for _ in 0..<20_000 {
            var damaged = message
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                guard let index = damaged.indices.randomElement(using: &random) else { continue }
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged[index] = UInt8.random(in: 0...255, using: &random)
                case 1: damaged.remove(at: index)
                default: damaged.insert(UInt8.random(in: 0...255, using: &random), at: index)
                }
            }
            guard let found = try? read(damaged) else { continue }
            for case .valid(let labels) in found.map(\.labels) {
                #expect(LabelSet(validating: labels.packed) == labels)
            }
        }
    }
}
