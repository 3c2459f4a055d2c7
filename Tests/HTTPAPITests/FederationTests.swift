import Exposition
import HTTPAPI
import SeriesModel
import StorageAPI
import Testing

@Suite("Federation")
struct FederationTests {
    private static let now = TestServer.now

    private static func store() -> ListStore {
        var store = ListStore()
        func add(_ labels: LabelSet, _ body: (inout SampleBuffer) -> Void) {
            var samples = SampleBuffer()
            body(&samples)
            store.add(labels, samples)
        }
        add(["__name__": "up", "job": "b", "instance": "i"]) {
            $0.append(now - 60_000, 0)
            $0.append(now - 1500, 1)
        }
        add(["__name__": "up", "dc": "own"]) { $0.append(now - 300_000, 0.1) }
        add(["__name__": "old"]) { $0.append(now - 300_001, 1) }
        add(["__name__": "ahead"]) { $0.append(now + 1, 1) }
        add(["__name__": "ended"]) {
            $0.append(now - 30_000, 1)
            $0.append(now - 15_000, StaleMarker.value)
        }
        add(["__name__": "size", "job": "a"]) { samples in
            samples.append(
                now,
                NativeHistogram(
                    schema: NativeHistogram.customSchema, count: 6, sum: 9,
                    positiveSpans: [.init(offset: 1, length: 2)], positiveBuckets: [2, 4], customBounds: [0.5, 1]))
        }
        add(["__name__": "size", "job": "b"]) { samples in
            samples.append(
                now,
                NativeHistogram(
                    count: 3, sum: 4, positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [3]))
        }
        add(["job": "nameless"]) { $0.append(now, 1) }
        add(["__name__": "a.b", "l.x": "\"q\""]) { $0.append(now, .infinity) }
        return store
    }

    private func get(_ target: String, accept: String? = nil) async throws -> LoopbackClient.Response {
        try await TestServer.run(storage: Self.store()) {
            $0.externalLabels = { ["dc": "x", "replica": "1"] }
        } _: {
            try await $0.client.get(target, accept.map { ["Accept": $0] } ?? [:])
        }
    }

    private static let all = "/federate?match%5B%5D=%7Bjob!~%22z%22%7D&match%5B%5D=up"

    @Test("gives the newest samples as text, sorted, with the server's labels, each once")
    func text() async throws {
        let response = try await get(Self.all)
        #expect(response.status == 200)
        #expect(response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
        #expect(
            response.text == """
                # TYPE a_b untyped
                a_b{dc="x",instance="",l_x="\\"q\\"",replica="1"} +Inf 1700000000000
                # TYPE size histogram
                size_bucket{dc="x",instance="",job="a",le="0.5",replica="1"} 0 1700000000000
                size_bucket{dc="x",instance="",job="a",le="1.0",replica="1"} 2 1700000000000
                size_bucket{dc="x",instance="",job="a",le="+Inf",replica="1"} 6 1700000000000
                size_sum{dc="x",instance="",job="a",replica="1"} 9 1700000000000
                size_count{dc="x",instance="",job="a",replica="1"} 6 1700000000000
                # TYPE up untyped
                up{dc="own",instance="",replica="1"} 0.1 1699999700000
                up{dc="x",instance="i",job="b",replica="1"} 1 1699999998500

                """)
    }

    @Test("answers in OpenMetrics with one end mark")
    func openMetrics() async throws {
        let response = try await get("/federate?match%5B%5D=up", accept: "application/openmetrics-text;version=1.0.0")
        #expect(response.headers["content-type"]?.hasPrefix("application/openmetrics-text; version=0.0.1") == true)
        #expect(
            response.text == """
                # TYPE up unknown
                up{dc="own",instance="",replica="1"} 0.1 1699999700
                up{dc="x",instance="i",job="b",replica="1"} 1.0 1699999998.500
                # EOF

                """)
    }

    @Test("native histograms go over protobuf")
    func protobuf() async throws {
        let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        let response = try await get("/federate?match%5B%5D=size", accept: accept)
        #expect(response.headers["content-type"]?.hasPrefix("application/vnd.google.protobuf") == true)
        var histograms: [NativeHistogram] = []
        try response.body.withUnsafeBytes { bytes in
            try ExpositionParser.withParser(of: bytes, .protobuf, HistogramHandling(takesNative: true)) { parser in
                var parser = parser
                while let event = try parser.next() {
                    guard case .series(let line) = event, let index = line.histogram else { continue }
                    #expect(try parser.labels(of: line.text)["job"] == "b")
                    histograms.append(parser.histogram(index))
                }
            }
        }
        #expect(histograms.map(\.count) == [3])
    }

    @Test("a selector that is none is told as text, and no selector selects nothing")
    func selectors() async throws {
        let bad = try await get("/federate?match%5B%5D=up%7B")
        #expect(bad.status == 400)
        #expect(bad.text.contains("unexpected") && !bad.text.contains("errorType"))
        let none = try await get("/federate")
        #expect(none.status == 200 && none.text.isEmpty)
    }
}
