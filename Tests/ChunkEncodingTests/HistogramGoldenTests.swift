import ChunkEncoding
import Foundation
import SeriesModel
import TestSupport
import Testing

/// Chunks of Prometheus 2.42: see the head of `Golden/histogram-chunks.txt`.
@Suite("Histogram chunks of Prometheus")
struct HistogramGoldenTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var samples: [(timestamp: Timestamp, histogram: NativeHistogram)] = []
        var chunks: [(encoding: ChunkEncoding, bytes: [UInt8])] = []
    }

    static let all: [Golden] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/histogram-chunks.txt")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        var all: [Golden] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            switch fields[0] {
            case "case": all.append(Golden(testDescription: fields.dropFirst().joined(separator: " ")))
            case "sample": all[all.count - 1].samples.append(sample(fields))
            case "chunk":
                let encoding = UInt8(fields[1]).flatMap(ChunkEncoding.init(rawValue:)) ?? .xor
                all[all.count - 1].chunks.append((encoding, Hex.bytes(fields[2])))
            default: break
            }
        }
        return all
    }()

    private static func sample(_ fields: [String]) -> (Timestamp, NativeHistogram) {
        func bits(_ text: String) -> Double { Double(bitPattern: UInt64(text, radix: 16) ?? 0) }
        func numbers(_ text: String) -> [Double] {
            text == "-" ? [] : text.split(separator: ",").compactMap { Double($0) }
        }
        func spans(_ text: String) -> [NativeHistogram.Span] {
            if text == "-" { return [] }
            return text.split(separator: ",").map { span in
                let parts = span.split(separator: ":")
                return NativeHistogram.Span(offset: Int32(parts[0]) ?? 0, length: UInt32(parts[1]) ?? 0)
            }
        }
        let hint: NativeHistogram.CounterResetHint = ["r": .reset, "g": .gauge][fields[2]] ?? .unknown
        return (
            Timestamp(fields[1]) ?? 0,
            NativeHistogram(
                counterResetHint: hint, schema: Int32(fields[3]) ?? 0, zeroThreshold: bits(fields[4]),
                zeroCount: Double(fields[5]) ?? 0, count: Double(fields[6]) ?? 0, sum: bits(fields[7]),
                positiveSpans: spans(fields[8]), positiveBuckets: numbers(fields[9]),
                negativeSpans: spans(fields[10]), negativeBuckets: numbers(fields[11]))
        )
    }

    @Test("are all there")
    func count() {
        #expect(HistogramGoldenTests.all.count == 34)
    }

    @Test("are what the appender writes, cut where Prometheus cuts them", arguments: HistogramGoldenTests.all)
    func encode(golden: Golden) throws {
        let encoding = try #require(golden.chunks.first).encoding
        var chunks: [[UInt8]] = []
        var open: HistogramAppender?
        for (timestamp, histogram) in golden.samples {
            var header: CounterResetHeader? = open == nil ? .unknown : nil
            if let full = open, full.count == 120 {
                header = full.headerOfNext(histogram)
            } else if header == nil {
                header = open?.append(timestamp, histogram)
            }
            guard let header else { continue }
            if let open { chunks.append(open.bytes) }
            open = HistogramAppender(encoding, header, timestamp, histogram)
        }
        if let open { chunks.append(open.bytes) }
        try #require(chunks.count == golden.chunks.count)
        for (index, (bytes, expected)) in zip(chunks, golden.chunks).enumerated() {
            var expected = expected.bytes
            if index == chunks.count - 1 { expected[2] = bytes[2] }
            // Where the bits end with a byte, Prometheus may leave an empty one behind them.
            if expected.count == bytes.count + 1, expected.last == 0 { expected.removeLast() }
            #expect(Hex.text(bytes) == Hex.text(expected), "chunk \(index)")
        }
    }

    @Test("are read with the values that went in", arguments: HistogramGoldenTests.all)
    func decode(golden: Golden) throws {
        var buffer = SampleBuffer()
        for chunk in golden.chunks { try chunk.encoding.decode(chunk.bytes, into: &buffer) }
        let stale = golden.samples.filter { $0.histogram.isStale }.map(\.timestamp)
        #expect(buffer.timestamps == stale)
        #expect(buffer.values.allSatisfy(StaleMarker.isStale))
        let expected = golden.samples.filter { !$0.histogram.isStale }
        #expect(buffer.histogramTimestamps == expected.map(\.timestamp))
        for (found, (_, histogram)) in zip(buffer.histograms, expected) {
            // The chunk may have buckets that were empty then.
            var (found, histogram) = (found, histogram)
            found.compact()
            histogram.compact()
            #expect(found == histogram)
        }
    }

    @Test("give their hints: nothing is known of the first sample, no reset behind it, gauges throughout")
    func hints() throws {
        func hints(_ name: String, chunk: Int) throws -> [NativeHistogram.CounterResetHint] {
            let golden = try #require(HistogramGoldenTests.all.first { $0.testDescription == name })
            var buffer = SampleBuffer()
            try golden.chunks[chunk].encoding.decode(golden.chunks[chunk].bytes, into: &buffer)
            return buffer.histograms.map(\.counterResetHint)
        }
        for kind in ["integer", "float"] {
            #expect(try hints(kind + " counter reset", chunk: 0) == [.unknown] + Array(repeating: .notReset, count: 5))
            #expect(try hints(kind + " counter reset", chunk: 1) == [.unknown] + Array(repeating: .notReset, count: 5))
            #expect(try hints(kind + " gauge", chunk: 0) == Array(repeating: .gauge, count: 14))
            #expect(try hints(kind + " a chunk of 120 and more", chunk: 1).first == .unknown)
        }
    }
}
