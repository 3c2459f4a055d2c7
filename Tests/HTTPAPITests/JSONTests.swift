import Foundation
import PromQLEngine
import SeriesModel
import TestSupport
import Testing

@testable import HTTPAPI

@Suite("JSON of answers")
struct JSONTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("text is escaped, and only what has to be")
    func strings() {
        #expect(text { $0.string("a\"b\\c\n\r\t\u{01}\u{1f}é<&>") } == #""a\"b\\c\n\r\t\u0001\u001fé<&>""#)
        #expect(text { $0.string("") } == #""""#)
    }

    @Test("a run of points is what its points are one by one, whatever the values")
    func runsOfPoints() {
        var random = SeededRandom(seed: 7)
        let special = [
            0, -0.0, 1, -1, 0.1, 1e-7, 1e21, 9_007_199_254_740_992, -9_007_199_254_740_991, .nan, .infinity, -.infinity,
            1.7976931348623157e308, .leastNonzeroMagnitude, 123_456.789,
        ]
        let values =
            special + (0..<2000).map { _ in Double(bitPattern: random.next()) } + (0..<2000).map { Double($0) / 7 }
        let times = values.indices.map { index -> Timestamp in
            index % 50 == 0 ? -Int64(index) : 1_700_000_000_000 + Int64(index) * 37
        }
        let together = text { $0.array { $0.points(times[...], values[...]) } }
        let apart = text { writer in
            writer.array { writer in
                for (time, value) in zip(times, values) { writer.point(time, value) }
            }
        }
        #expect(together == apart)
        #expect(text { $0.array { $0.points([], []) } } == "[]")
    }

    @Test("commas stand between members and elements, and nowhere else")
    func commas() {
        let json = text { writer in
            writer.object { writer in
                writer.field("a", integer: 1)
                writer.key("b")
                writer.array { writer in
                    writer.object { _ in }
                    writer.array { _ in }
                    writer.null()
                    writer.boolean(true)
                }
                writer.field("c", labels: ["x": "1", "y": "2"])
            }
        }
        #expect(json == #"{"a":1,"b":[{},[],null,true],"c":{"x":"1","y":"2"}}"#)
    }

    @Test(
        "timestamps have three decimals or none",
        arguments: [
            (0, "0"), (1, "0.001"), (10, "0.010"), (1100, "1.100"), (-1, "-0.001"), (-1500, "-1.500"),
            (1_700_000_000_000, "1700000000"), (Int64.min, "-9223372036854775.808"),
        ] as [(Int64, String)])
    func timestamps(time: Int64, expected: String) {
        #expect(text { $0.timestamp(time) } == expected)
    }

    @Test(
        "values are Go's shortest text",
        arguments: [
            (0.0, "0"), (-0.0, "-0"), (1e-7, "1e-07"), (1e21, "1e+21"), (0.1, "0.1"), (-123, "-123"), (.nan, "NaN"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (9_007_199_254_740_992, "9007199254740992"),
            (1_234_567.8, "1234567.8"), (0.000001, "0.000001"), (.leastNonzeroMagnitude, "5e-324"),
        ] as [(Double, String)])
    func values(value: Double, expected: String) {
        #expect(text { $0.sampleValue(value) } == "\"\(expected)\"")
    }

    @Test("a value's bytes are those of its text, for a thousand random bit patterns")
    func bytesAgreeWithText() {
        var state: UInt64 = 42
        for _ in 0..<1000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: state)
            #expect(text { $0.sampleValue(value) } == "\"\(NumberText.apiValue(value))\"")
        }
    }

    @Test("scalars never have an exponent")
    func scalars() async throws {
        #expect(try await json(.scalar(1000, 1e21)).contains(#""result":[1,"1000000000000000000000"]"#))
    }

    @Test("histograms have their buckets with rule, bounds and count, empty ones left out")
    func histograms() async throws {
        let histogram = NativeHistogram(
            schema: 0, zeroThreshold: 0.001, zeroCount: 2, count: 7, sum: 18.4,
            positiveSpans: [.init(offset: 0, length: 3)], positiveBuckets: [3, 0, 1],
            negativeSpans: [.init(offset: 1, length: 1)], negativeBuckets: [1])
        let expected =
            #"{"count":"7","sum":"18.4","buckets":[[1,"-2","-1","1"],[3,"-0.001","0.001","2"],"#
            + #"[0,"0.5","1","3"],[0,"2","4","1"]]}"#
        let vector = try await json(
            .vector([
                VectorSample(labels: ["a": "b"], timestamp: 1500, value: 0, histogram: histogram)
            ]))
        #expect(vector.contains(#"[{"metric":{"a":"b"},"histogram":[1.500,\#(expected)]}]"#), "\(vector)")
        var samples = SampleBuffer()
        samples.append(1000, 4)
        samples.append(2000, histogram)
        let matrix = try await json(.matrix([MatrixSeries(labels: ["a": "b"], samples: samples)]))
        #expect(matrix.contains(#""values":[[1,"4"]],"histograms":[[2,\#(expected)]]}]"#), "\(matrix)")
        let empty = try await json(
            .vector([
                VectorSample(labels: [:], timestamp: 0, value: 0, histogram: NativeHistogram())
            ]))
        #expect(empty.contains(#""histogram":[0,{"count":"0","sum":"0"}]"#))
    }

    @Test("the shared vectors of numbers hold")
    func conformanceNumbers() throws {
        for item in try Conformance.cases("formats/number.json") {
            guard let source = item["value"] as? String, let value = NumberText.parse(source),
                let expected = item["json"] as? String
            else { continue }
            #expect(text { $0.sampleValue(value) } == "\"\(expected)\"")
        }
    }

    @Test("the shared vectors of whole answers hold")
    func conformanceAnswers() async throws {
        for item in try Conformance.cases("formats/api_json.json") {
            guard let expected = item["json"] as? String else { continue }
            switch item["kind"] as? String {
            case "exemplars": #expect(exemplars(item) == expected)
            case "vector": #expect(try await json(.vector(vector(item))) == expected)
            case "matrix": #expect(try await json(.matrix(matrix(item))) == expected)
            case "point":
                let point = text { writer in
                    writer.array { writer in
                        writer.timestamp(integer(item["t_ms"]))
                        writer.sampleValue(number(item["value"]))
                    }
                }
                #expect(expected == #"{"status":"success","data":\#(point)}"#)
            default: Issue.record("an unknown kind: \(item)")
            }
        }
    }

    /// As `query_exemplars` writes them.
    private func exemplars(_ item: [String: Any]) -> String {
        let series = item["result"] as? [[String: Any]] ?? []
        return text { writer in
            writer.object { writer in
                writer.field("status", "success")
                writer.key("data")
                writer.array(of: series) { writer, one in
                    writer.object { writer in
                        writer.field("seriesLabels", labels: labels(one))
                        writer.key("exemplars")
                        writer.array(of: one["exemplars"] as? [[String: Any]] ?? []) { writer, exemplar in
                            writer.object { writer in
                                writer.field("labels", labels: labels(exemplar))
                                writer.key("value")
                                writer.sampleValue(number(exemplar["value"]))
                                writer.key("timestamp")
                                writer.timestamp(integer(exemplar["t_ms"]))
                            }
                        }
                    }
                }
            }
        }
    }

    private func json(_ value: QueryValue) async throws -> String {
        let answer = QueryAnswer(result: QueryResult(value: value), includesStatistics: false)
        guard case .bytes(let bytes) = try await answer.response().body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func vector(_ item: [String: Any]) -> [VectorSample] {
        (item["result"] as? [[String: Any]] ?? []).map { entry in
            VectorSample(labels: labels(entry), timestamp: integer(entry["t_ms"]), value: number(entry["value"]))
        }
    }

    private func matrix(_ item: [String: Any]) -> [MatrixSeries] {
        (item["result"] as? [[String: Any]] ?? []).map { entry in
            var samples = SampleBuffer()
            for point in entry["points"] as? [[Any]] ?? [] { samples.append(integer(point[0]), number(point[1])) }
            return MatrixSeries(labels: labels(entry), samples: samples)
        }
    }

    private func labels(_ entry: [String: Any]) -> LabelSet {
        LabelSet((entry["labels"] as? [String: String] ?? [:]).map { Label($0.key, $0.value) })
    }

    private func integer(_ value: Any?) -> Int64 { (value as? NSNumber)?.int64Value ?? 0 }

    private func number(_ value: Any?) -> Double {
        (value as? NSNumber)?.doubleValue ?? (value as? String).flatMap { NumberText.parse($0) } ?? 0
    }
}
