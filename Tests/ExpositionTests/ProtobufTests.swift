import SeriesModel
import TestSupport
import Testing

@testable import Exposition

@Suite("Exposition: protobuf")
struct ProtobufTests {
    @Test("counters, gauges and untyped metrics are samples under the family's name, with its metadata before them")
    func numbers() throws {
        let body =
            ProtobufMessage.family(
                "http_requests_total", type: 0, help: "All \"requests\"\n.",
                {
                    $0.label("method", "GET")
                    $0.label("code", "2\"00")
                    $0.message(3) {
                        $0.double(1, 7)
                        $0.message(2) {
                            $0.label("trace_id", "abc")
                            $0.double(2, 0.5)
                            $0.message(3) {
                                $0.integer(1, 1_600_000_000)
                                $0.integer(2, 123_000_000)
                            }
                        }
                    }
                }, { $0.message(3) { _ in } })
            + ProtobufMessage.family(
                "temperature_celsius", type: 1, unit: "celsius",
                {
                    $0.message(2) { $0.double(1, -3.5) }
                    $0.integer(6, 1_234)
                })
            + ProtobufMessage.family("empty", type: 1)
            + ProtobufMessage.family("a.b", type: 3, { $0.message(5) { $0.double(1, .nan) } })
        #expect(
            try DecodedEntries(protobuf: body).lines == [
                "HELP http_requests_total All \"requests\"\n.", "TYPE http_requests_total counter",
                #"{__name__="http_requests_total", code="2\"00", method="GET"} 7 # {trace_id="abc"} 0.5 @1600000000123"#,
                #"{__name__="http_requests_total"} 0"#, "TYPE temperature_celsius gauge",
                "UNIT temperature_celsius celsius", #"{__name__="temperature_celsius"} -3.5 @1234"#,
                "TYPE a.b unknown", #"{__name__="a.b"} NaN"#,
            ])
    }

    @Test("a summary is its count, its sum and its quantiles")
    func summary() throws {
        let body = ProtobufMessage.family(
            "rpc", type: 2,
            {
                $0.label("service", "x")
                $0.message(4) {
                    $0.integer(1, 3)
                    $0.double(2, 1.5)
                    $0.message(3) {
                        $0.double(1, 0.5)
                        $0.double(2, 4)
                    }
                    $0.message(3) {
                        $0.double(1, 1)
                        $0.double(2, 5)
                    }
                }
            })
        #expect(
            try DecodedEntries(protobuf: body).lines == [
                "TYPE rpc summary", #"{__name__="rpc_count", service="x"} 3"#,
                #"{__name__="rpc_sum", service="x"} 1.5"#, #"{__name__="rpc", quantile="0.5", service="x"} 4"#,
                #"{__name__="rpc", quantile="1.0", service="x"} 5"#,
            ])
    }

    private let classic = ProtobufMessage.family(
        "latency", type: 4,
        {
            $0.message(7) {
                $0.integer(1, 6)
                $0.double(2, 9)
                $0.bucket(1, 2)
                $0.bucket(2.5, 5, exemplar: { $0.double(2, 2.25) })
            }
        })

    @Test("a classic histogram is its count, its sum and its buckets, the last of which is +Inf")
    func classicHistogram() throws {
        #expect(
            try DecodedEntries(protobuf: classic).lines == [
                "TYPE latency histogram", #"{__name__="latency_count"} 6"#, #"{__name__="latency_sum"} 9"#,
                #"{__name__="latency_bucket", le="1.0"} 2"#,
                ##"{__name__="latency_bucket", le="2.5"} 5 # {} 2.25"##,
                #"{__name__="latency_bucket", le="+Inf"} 6"#,
            ])
    }

    @Test("a classic histogram is converted to one with custom bounds where that is asked for")
    func conversion() throws {
        let entries = try DecodedEntries(protobuf: classic, HistogramHandling(convertsClassic: true))
        #expect(entries.lines == ["TYPE latency histogram", #"{__name__="latency"} histogram"#])
        let histogram = try #require(entries.histograms[#"{__name__="latency"}"#])
        #expect(histogram.schema == NativeHistogram.customSchema)
        #expect(histogram.customBounds == [1, 2.5])
        #expect(histogram.positive.counts == [2, 3, 1])
        #expect((histogram.count, histogram.sum) == (6, 9))
    }

    private func native(type: Int64 = 4, _ more: @escaping (inout ProtobufMessage) -> Void = { _ in }) -> [UInt8] {
        ProtobufMessage.family(
            "size", type: type,
            {
                $0.message(7) {
                    $0.integer(1, 12)
                    $0.double(2, 40)
                    $0.zigzag(5, 3)
                    $0.double(6, 0.001)
                    $0.integer(7, 2)
                    $0.span(12, -2, 2)
                    $0.span(12, 3, 1)
                    for delta in [1, 2, -3] as [Int64] { $0.zigzag(13, delta) }
                    $0.span(9, 0, 1)
                    $0.zigzag(10, 6)
                    more(&$0)
                }
            })
    }

    @Test("a native histogram is one sample; buckets that are empty are left out")
    func nativeHistogram() throws {
        let entries = try DecodedEntries(protobuf: native())
        #expect(entries.lines == ["TYPE size histogram", #"{__name__="size"} histogram"#])
        let histogram = try #require(entries.histograms[#"{__name__="size"}"#])
        #expect((histogram.schema, histogram.zeroThreshold, histogram.zeroCount) == (3, 0.001, 2))
        #expect(histogram.positive.counts == [1, 3])
        #expect(histogram.negative.counts == [6])
        #expect(histogram.counterResetHint == .unknown)
        let gauge = try DecodedEntries(protobuf: native(type: 5))
        #expect(gauge.histograms[#"{__name__="size"}"#]?.counterResetHint == .gauge)
    }

    @Test("of a histogram of both kinds the classic series are taken as well, or alone, as asked")
    func both() throws {
        let body = native { $0.bucket(.infinity, 12) }
        let series = { (handling: HistogramHandling) in
            try DecodedEntries(protobuf: body, handling).lines.dropFirst().map { $0.prefix { $0 != "}" } }
        }
        let whole = #"{__name__="size""#
        let parts = [#"{__name__="size_count""#, #"{__name__="size_sum""#, #"{__name__="size_bucket", le="+Inf""#]
        #expect(try series(HistogramHandling(takesNative: true)).elementsEqual([whole]) { $0 == $1 })
        #expect(
            try series(HistogramHandling(takesNative: true, keepsClassic: true)).elementsEqual([whole] + parts) {
                $0 == $1
            })
        #expect(try series(HistogramHandling()).elementsEqual(parts) { $0 == $1 })
    }

    @Test("histograms of floats have float counts, and exemplars of native ones need a time")
    func floats() throws {
        let body = ProtobufMessage.family(
            "size", type: 4,
            {
                $0.message(7) {
                    $0.double(4, 2.5)
                    $0.zigzag(5, 0)
                    $0.span(12, 0, 2)
                    $0.sized(
                        14, [0.5, 2].flatMap { (value: Double) in withUnsafeBytes(of: value.bitPattern) { Array($0) } })
                    $0.message(16) { $0.double(2, 1) }
                    $0.message(16) {
                        $0.double(2, 3)
                        $0.message(3) { $0.integer(1, 5) }
                    }
                }
            })
        let entries = try DecodedEntries(protobuf: body)
        #expect(entries.lines.last == ##"{__name__="size"} histogram # {} 3 @5000"##)
        #expect(entries.histograms.values.first?.positive.counts == [0.5, 2])
    }

    @Test(
        "what an exposition may not say fails the whole",
        arguments: [
            (ProtobufMessage.family("", type: 0, { _ in }), "invalid metric name: \"\""),
            (ProtobufMessage.family("x", type: 9, { _ in }), "unknown metric type for metric \"x\": 9"),
            (
                ProtobufMessage.family("x_total", type: 0, unit: "seconds", { _ in }),
                "unit \"seconds\" not a suffix of counter \"x_total\""
            ),
            (
                ProtobufMessage.family("xseconds", type: 1, unit: "seconds", { _ in }),
                "unit \"seconds\" not a suffix of metric \"xseconds\""
            ),
            ([5, 1], "protobuf: the message ends within a field at byte 0"),
            ([1, 0x3F], "protobuf: illegal wire type 7 at byte 2"),
            ([2, 0x08, 0x01], "protobuf: wrong wire type 0 for field 1 at byte 2"),
        ])
    func refused(body: [UInt8], message: String) {
        #expect(throws: ExpositionError(line: 0, message: message)) { _ = try DecodedEntries(protobuf: body) }
    }

    @Test("a label that is there twice is refused where its series is met")
    func duplicateLabel() throws {
        let body = ProtobufMessage.family(
            "x", type: 1,
            {
                $0.label("a", "1")
                $0.label("a", "2")
            })
        #expect(throws: ExpositionError.self) { _ = try DecodedEntries(protobuf: body) }
    }

    @Test("any bytes are read or refused: each bit flipped, each length")
    func flipped() throws {
        let body = native { $0.bucket(1, 5, exemplar: { $0.label("a", "b") }) } + classic
        for index in body.indices {
            for bit in 0..<8 {
                var other = body
                other[index] ^= 1 << bit
                _ = try? DecodedEntries(protobuf: other, HistogramHandling(takesNative: true, keepsClassic: true))
                _ = try? DecodedEntries(protobuf: other, HistogramHandling(convertsClassic: true))
            }
            _ = try? DecodedEntries(protobuf: Array(body[..<index]))
        }
    }

    @Test("the series of the scrape before are known again by comparing bytes")
    func expected() throws {
        let decoded = try classic.withUnsafeBytes {
            try DecodedExposition(protobuf: $0, histograms: HistogramHandling())
        }
        try decoded.texts.withUnsafeBytes { texts in
            var first = ExpositionParser(decoded, texts: texts)
            var second = ExpositionParser(decoded, texts: texts)
            var hits = 0
            while let event = try first.next() {
                guard case .series(let line) = event else {
                    _ = try second.next()
                    continue
                }
                let text = UnsafeRawBufferPointer(rebasing: texts[line.text])
                #expect(try second.next(expecting: text) == line)
                hits += 1
            }
            #expect(hits == 5)
        }
    }
}
