import Exposition
import SeriesModel
import StorageAPI
import Testing

@testable import Scrape

/// The feature `type-and-unit-labels`.
@Suite("Labels from metadata")
struct TypeAndUnitLabelTests {
    /// Scrapes texts, one every second, with the feature on. - Returns: the series of each batch but the report.
    private func scrape(
        _ texts: [String], format: ExpositionFormat = .text004, isOn: Bool = true
    ) async throws -> [Set<String>] {
        var history = TargetHistory(
            target: makeTarget(), config: ScrapeConfig(jobName: "j"), addsTypeAndUnitLabels: isOn)
        let store = RecordingStore()
        var all: [Set<String>] = []
        for (index, text) in texts.enumerated() {
            let digest = history.digest(
                .body(Array(text.utf8), format), stamp: Timestamp(index + 1) * 1000, duration: { 0 })
            let failure = digest.failure?.description
            #expect(failure == nil)
            _ = history.settle(digest, try await store.append(digest.batch))
            let new = digest.batch.newSeries.map { labels in
                labels.filter { $0.name != "instance" && $0.name != "job" }
                    .map { "\($0.name)=\($0.value)" }.joined(separator: ",")
            }
            all.append(Set(new.filter { !$0.hasPrefix("__name__=scrape_") && $0 != "__name__=up" }))
        }
        return all
    }

    @Test("a series whose labels change has ended under the old ones")
    func replaced() async throws {
        var history = TargetHistory(
            target: makeTarget(), config: ScrapeConfig(jobName: "j"), addsTypeAndUnitLabels: true)
        let store = RecordingStore()
        for (stamp, type) in [
            (1000, "gauge"), (2000, "counter"), (3000, "counter"), (4000, "counter"), (5000, "counter"),
        ] {
            let text = "# TYPE a \(type)\na \(stamp)\n"
            let digest = history.digest(.body(Array(text.utf8), .text004), stamp: Timestamp(stamp), duration: { 0 })
            _ = history.settle(digest, try await store.append(digest.batch))
        }
        let gauge = store.all(#"a{__type__="gauge", instance="t:1", job="j"}"#).map(\.description)
        #expect(gauge.last?.hasPrefix("stale@") == true)
        #expect(gauge.filter { $0.hasPrefix("stale@") }.count == 1)
        #expect(store.last(#"a{__type__="counter", instance="t:1", job="j"}"#)?.value == 5000)
    }

    @Test("series get the type of their family; what has none gets no label")
    func types() async throws {
        let text = """
            # TYPE requests_total counter
            requests_total{a="b"} 1
            # TYPE latency histogram
            latency_bucket{le="+Inf"} 1
            latency_sum 1
            latency_count 1
            latency_other 1
            # TYPE size summary
            size{quantile="0.5"} 1
            size_sum 1
            # TYPE heat gauge
            heat 1
            heat_sum 1
            # TYPE odd untyped
            odd 1
            lone 1

            """
        #expect(
            try await scrape([text]) == [
                [
                    "__name__=requests_total,__type__=counter,a=b",
                    "__name__=latency_bucket,__type__=histogram,le=+Inf", "__name__=latency_sum,__type__=histogram",
                    "__name__=latency_count,__type__=histogram", "__name__=latency_other",
                    "__name__=size,__type__=summary,quantile=0.5", "__name__=size_sum,__type__=summary",
                    "__name__=heat,__type__=gauge", "__name__=heat_sum", "__name__=odd", "__name__=lone",
                ]
            ])
    }

    @Test("OpenMetrics tells units, too, and what a target itself says of type and unit gives way")
    func units() async throws {
        let text = """
            # TYPE request_seconds counter
            # UNIT request_seconds seconds
            request_seconds_total{__type__="gauge",__unit__="miles"} 1
            # TYPE other_bytes unknown
            # UNIT other_bytes bytes
            other_bytes{__type__="mine"} 1
            # EOF

            """
        #expect(
            try await scrape([text], format: .openMetrics100) == [
                [
                    "__name__=request_seconds_total,__type__=counter,__unit__=seconds",
                    "__name__=other_bytes,__type__=mine,__unit__=bytes",
                ]
            ])
    }

    @Test("a family that changes its type becomes other series with the scrape after that")
    func changes() async throws {
        let series = try await scrape([
            "a 1\n", "# TYPE a gauge\na 1\n", "# TYPE a gauge\na 1\n", "# TYPE a gauge\na 1\n",
        ])
        #expect(series == [["__name__=a"], [], ["__name__=a,__type__=gauge"], []])
    }

    @Test("without the feature there are no such labels")
    func off() async throws {
        #expect(try await scrape(["# TYPE a gauge\na 1\n"], isOn: false) == [["__name__=a"]])
    }
}
