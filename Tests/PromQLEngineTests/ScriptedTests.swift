import PromQLTestKit
import Testing

/// Behaviour told in the PromQL test language; each evaluation is checked as an instant query, as a range query and
/// pinned with `@`.
@Suite struct ScriptedTests {
    private func check(_ script: String) async {
        let report = await ScriptRunner().run(script, file: "script")
        #expect(report.failed == 0, "\(report.failures.map(\.description).joined(separator: "\n"))")
        #expect(report.passed > 0)
    }

    @Test("an instant selector sees the newest sample of less than the lookback, and none behind a stale marker")
    func lookback() async {
        await check(
            """
            load 1m
                up{job="a"} 1 2 3
                up{job="b"} 1 2 stale

            eval instant at 1m up
                up{job="a"} 2
                up{job="b"} 2

            eval instant at 2m up
                up{job="a"} 3

            eval instant at 6m59s up
                up{job="a"} 3

            eval instant at 7m up

            eval instant at 4m up offset 3m
                up{job="a"} 2
                up{job="b"} 2

            eval instant at 1h up @ 60
                up{job="a"} 2
                up{job="b"} 2
            """)
    }

    @Test("a range is open on the left and closed on the right")
    func window() async {
        await check(
            """
            load 1m
                m 1 2 4 8 16

            eval instant at 4m sum_over_time(m[2m])
                {} 24

            eval instant at 4m count_over_time(m[4m])
                {} 4

            eval instant at 4m sum_over_time(m[4m:2m])
                {} 20
            """)
    }

    @Test("rate adds resets back and is stretched to the window's edges")
    func rate() async {
        await check(
            """
            load 30s
                requests_total 0 30 60 10 40

            eval instant at 2m increase(requests_total[2m])
                {} 93.33333333333333

            eval instant at 2m resets(requests_total[3m])
                {} 1

            eval instant at 2m irate(requests_total[2m])
                {} 1

            eval instant at 2m rate(requests_total[30s])
            """)
    }

    @Test("rate of a name that is no counter's is told")
    func gaugeName() async {
        await check(
            """
            load 1m
                temperature 1 2 3

            eval instant at 2m rate(temperature[5m])
                expect info msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "temperature" (1:6)
                {} 0.008333333333333333
            """)
    }

    @Test("aggregations by and without labels")
    func aggregation() async {
        await check(
            """
            load 1m
                m{a="x", b="1"} 1
                m{a="x", b="2"} 3
                m{a="y", b="1"} 5

            eval instant at 0m sum by (a) (m)
                {a="x"} 4
                {a="y"} 5

            eval instant at 0m avg without (a) (m)
                {b="1"} 3
                {b="2"} 3

            eval instant at 0m topk(1, m)
                m{a="y", b="1"} 5

            eval instant at 0m quantile(0.5, m)
                {} 3

            eval instant at 0m count_values("v", m)
                {v="1"} 1
                {v="3"} 1
                {v="5"} 1

            eval instant at 0m stddev(m)
                {} 1.632993161855452
            """)
    }

    @Test("a sum of numbers of very different size is compensated")
    func compensation() async {
        await check(
            """
            load 1m
                m{i="1"} 1e100
                m{i="2"} 1
                m{i="3"} -1e100

            eval instant at 0m sum(m)
                {} 1
            """)
    }

    @Test("vectors match on labels, with groups and fill values")
    func matching() async {
        await check(
            """
            load 1m
                errors{code="500", method="get"} 24
                errors{code="404", method="get"} 30
                requests{method="get"} 600
                requests{method="del"} 34

            eval instant at 0m errors / ignoring(code) group_left requests
                {code="500", method="get"} 0.04
                {code="404", method="get"} 0.05

            eval instant at 0m requests unless on(method) errors
                requests{method="del"} 34

            eval instant at 0m errors{code="500"} + on(method) fill(0) requests
                {method="get"} 624
                {method="del"} 34

            eval instant at 0m requests / ignoring(code) errors
                expect fail regex: found duplicate series for the match group \\{method="get"\\} on the right hand-side of the operation

            eval instant at 0m errors + on(method) requests
                expect fail msg: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)
            """)
    }

    @Test("absent knows the labels that equality fixes")
    func absence() async {
        await check(
            """
            load 1m
                m 1

            eval instant at 0m absent(nothing{job="a", zone!="b", env=~"c.*"})
                {job="a"} 1

            eval instant at 0m absent(nothing{zone!="x", zone="y"})
                {zone="y"} 1

            eval instant at 0m absent(m)
            """)
    }

    @Test("quantiles of classic histograms, and what is wrong with their buckets")
    func classicHistogram() async {
        await check(
            """
            load 1m
                latency_bucket{le="0.1"} 10
                latency_bucket{le="1"} 30
                latency_bucket{le="+Inf"} 40
                broken_bucket{le="none"} 1

            eval instant at 0m histogram_quantile(0.5, latency_bucket)
                {} 0.55

            eval instant at 0m histogram_quantile(0.9, latency_bucket)
                {} 1

            eval instant at 0m histogram_fraction(0, 0.1, latency_bucket)
                {} 0.25

            eval instant at 0m histogram_quantile(0.5, broken_bucket)
                expect warn msg: PromQL warning: bucket label "le" is missing or has a malformed value of "none" for metric name "broken_bucket" (1:25)
            """)
    }

    @Test("native histograms are added, scaled, rated and taken apart")
    func nativeHistogram() async {
        await check(
            """
            load 1m
                h{i="1"} {{schema:0 count:4 sum:10 buckets:[1 2 1]}}+{{schema:0 count:4 sum:10 buckets:[1 2 1]}}x4
                h{i="2"} {{schema:0 count:2 sum:3 buckets:[1 1]}}+{{schema:0 count:2 sum:3 buckets:[1 1]}}x4

            eval instant at 0m sum(h)
                {} {{schema:0 count:6 sum:13 buckets:[2 3 1]}}

            eval instant at 0m histogram_count(sum(h))
                {} 6

            eval instant at 0m 2 * h{i="2"}
                {i="2"} {{schema:0 count:4 sum:6 buckets:[2 2]}}

            eval instant at 4m increase(h{i="1"}[4m])
                {i="1"} {{schema:0 count:16 sum:40 buckets:[4 8 4] counter_reset_hint:gauge}}

            eval instant at 0m max(h)
                expect info msg: PromQL info: ignored histogram in max aggregation (1:5)

            eval instant at 0m h + 1
                expect info msg: PromQL info: incompatible sample types encountered for binary operator "+": histogram + float (1:1)
            """)
    }

    @Test("a subquery is evaluated at absolute multiples of its step, each series in one piece")
    func subquery() async {
        await check(
            """
            load 1m
                part{n="1"} 1 1 1 _ _ _
                part{n="2"} _ _ _ 2 2 2

            eval instant at 5m count_over_time(label_replace(sum by (n) (last_over_time(part[1m])), "n", "", "n", ".*")[5m1s:1m])
                {} 6
            """)
    }

    @Test("info adds the labels of the info series of the same target")
    func info() async {
        await check(
            """
            load 1m
                m{instance="a", job="1"} 1
                m{instance="b", job="1"} 2
                target_info{instance="a", job="1", version="3"} 1

            eval instant at 0m info(m)
                m{instance="a", job="1", version="3"} 1
                m{instance="b", job="1"} 2

            eval instant at 0m info(m, {version=~".+"})
                m{instance="a", job="1", version="3"} 1
            """)
    }

    @Test("series that become the same by losing their names are an error")
    func duplicates() async {
        await check(
            """
            load 1m
                one{a="x"} 1
                two{a="x"} 2

            eval instant at 0m -{a="x"}
                expect fail msg: vector cannot contain metrics with the same labelset
            """)
    }
}
