import SeriesModel
import Testing

@testable import Exposition

@Suite("Exposition: writing protobuf")
struct ProtobufWriterTests {
    @Test("what a text says is read back from the messages the same")
    func roundTrip() throws {
        let text = """
            # HELP requests_total All \\\\ of them.
            # TYPE requests_total counter
            requests_total{code="200"} 7
            requests_total{code="500"} 1 1234
            # TYPE size histogram
            size_bucket{path="/a",le="1"} 2
            size_bucket{path="/a",le="+Inf"} 3.5
            size_sum{path="/a"} 9
            size_count{path="/a"} 3.5
            # TYPE rpc summary
            rpc{quantile="0.5"} 4
            rpc_sum 1.5
            rpc_count 3
            # TYPE up gauge
            up NaN
            loose{le="1"} 5

            """
        let body = try ProtobufWriter.transcribe(Array(text.utf8), .text004)
        let lines = try DecodedEntries(protobuf: body).lines
        #expect(
            lines == [
                "HELP requests_total All \\ of them.", "TYPE requests_total counter",
                #"{__name__="requests_total", code="200"} 7"#, #"{__name__="requests_total", code="500"} 1 @1234"#,
                "TYPE size histogram", #"{__name__="size_count", path="/a"} 3.5"#,
                #"{__name__="size_sum", path="/a"} 9"#, #"{__name__="size_bucket", le="1.0", path="/a"} 2"#,
                #"{__name__="size_bucket", le="+Inf", path="/a"} 3.5"#, "TYPE rpc summary",
                #"{__name__="rpc_count"} 3"#, #"{__name__="rpc_sum"} 1.5"#, #"{__name__="rpc", quantile="0.5"} 4"#,
                "TYPE up gauge", #"{__name__="up"} NaN"#, "TYPE loose unknown",
                #"{__name__="loose", le="1"} 5"#,
            ])
    }

    @Test("families written one by one are read back: floats, classic and native histograms, empty labels")
    func families() throws {
        let native = NativeHistogram(
            schema: 1, zeroThreshold: 0.5, zeroCount: 1.5, count: 12.5, sum: 18.5,
            positiveSpans: [.init(offset: -1, length: 2), .init(offset: 3, length: 1)], positiveBuckets: [1, 2, 3],
            negativeSpans: [.init(offset: 2, length: 1)], negativeBuckets: [5])
        let empty = NativeHistogram(schema: 3)
        var writer = ProtobufWriter()
        writer.beginFamily("up", MetricMetadata(kind: .unknown))
        writer.metric([Label("instance", ""), Label("job", "a")], 1, timestamp: 5)
        writer.beginFamily("h", MetricMetadata(kind: .histogram))
        writer.metric([Label("job", "a")], native, timestamp: 7)
        writer.metric([Label("job", "b")], empty, timestamp: 8)
        writer.metric([Label("job", "c")], buckets: [(0.5, 1), (.infinity, 3)], count: 3, sum: 2, timestamp: 9)
        let body = writer.takeBytes()
        // The empty label is there, though a label set has no place for it.
        #expect(body.split(separator: UInt8(ascii: "i")).contains { $0.starts(with: "nstance".utf8) })
        let read = try DecodedEntries(protobuf: body)
        #expect(read.histograms == [#"{__name__="h", job="a"}"#: native, #"{__name__="h", job="b"}"#: empty])
        #expect(
            read.lines == [
                "TYPE up unknown", #"{__name__="up", job="a"} 1 @5"#, "TYPE h histogram",
                #"{__name__="h", job="a"} histogram @7"#, #"{__name__="h", job="b"} histogram @8"#,
                #"{__name__="h_count", job="c"} 3 @9"#, #"{__name__="h_sum", job="c"} 2 @9"#,
                #"{__name__="h_bucket", job="c", le="0.5"} 1 @9"#, #"{__name__="h_bucket", job="c", le="+Inf"} 3 @9"#,
            ])
    }

    @Test("a counter of OpenMetrics gets the name of its samples")
    func openMetrics() throws {
        let text = """
            # TYPE jobs counter
            jobs_total 3
            # TYPE t_seconds gauge
            # UNIT t_seconds seconds
            t_seconds 1
            # EOF

            """
        let body = try ProtobufWriter.transcribe(Array(text.utf8), .openMetrics100)
        #expect(
            try DecodedEntries(protobuf: body).lines == [
                "TYPE jobs_total counter", #"{__name__="jobs_total"} 3"#, "TYPE t_seconds gauge",
                "UNIT t_seconds seconds", #"{__name__="t_seconds"} 1"#,
            ])
    }
}
