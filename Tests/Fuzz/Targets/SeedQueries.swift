import Foundation
import PromQLSyntax
import TestSupport

/// Queries to begin from: our own, and those of the conformance vectors where they are present.
enum SeedQueries {
    static func all() -> [[UInt8]] {
        var queries = own.map { Array($0.utf8) }
        for part in (try? Conformance.cases("parser/parse.json")) ?? [] {
            queries.append(Conformance.bytes(part["input"]))
        }
        queries += scripts().map { Array($0.utf8) }
        queries += lines("compliance/extra-queries.txt").filter { !$0.hasPrefix("#") }.map { Array($0.utf8) }
        queries += lines("compliance/queries.yml").compactMap { line in
            line.firstRange(of: "query: '").map { Array(line[$0.upperBound...].dropLast().utf8) }
        }
        return queries.filter { !$0.isEmpty }
    }

    private static func lines(_ path: String) -> [String] {
        let data = (try? Conformance.file(path)) ?? nil
        return String(decoding: data ?? Data(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// What the scripts evaluate.
    private static func scripts() -> [String] {
        guard let folder = Conformance.folder("promql") else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".test") }.sorted().flatMap { name in
            lines("promql/" + name).compactMap { line -> String? in
                guard line.hasPrefix("eval ") else { return nil }
                // eval instant at 5m QUERY, eval range from 0 to 5m step 1m QUERY
                let words = line.split(separator: " ", omittingEmptySubsequences: true)
                let count = words.dropFirst().first == "range" ? 8 : 4
                return words.dropFirst(count).joined(separator: " ")
            }
        }
    }

    static let words: [String] = {
        var words = [
            "(", ")", "{", "}", "[", "]", ",", ":", "=", "!=", "=~", "!~", "@", "+", "-", "*", "/", "%", "^", "==", ">",
            "<", ">=", "<=", "</", ">/", "atan2", "and", "or", "unless", "bool", "on", "ignoring", "group_left",
            "group_right", "fill", "fill_left", "fill_right", "by", "without", "offset", "start()", "end()", "step()",
            "range()", "min_of(", "max_of(", "anchored", "smoothed", "5m", "1h30m", "1ms", "[5m]", "[5m:1m]", "[1h:]",
            "[1y:1ms]", "100y", "1", "0", "-1", "1e9", "1e308", "Inf", "NaN", "0x1f", "\"a\"", "'b'", "`c`", "\"", "'",
            "\\", "\\xff", "\u{e9}", "\0", "#", "\n", "m", "c_total", "h", "mixed", "custom", "latency_bucket",
            "{a=\"1\"}",
            "{\"utf8.metric\"}", "le", "a", "b", "__name__", "@ 1767225600", "@ 1e18", "offset -5m", "(m + n)", "{{",
            "}}",
        ]
        words += FunctionSignature.all.map { $0.name + "(" }
        words += AggregationOperator.allCases.flatMap { [$0.rawValue, $0.rawValue + "("] }
        return words
    }()

    private static let own = [
        "m", "m{a=\"1\"}", "{__name__=~\"m|n\", b!=\"2\"}", "{\"utf8.metric\", \"label with space\"=\"x y\"}",
        "rate(c_total[5m])", "sum by (a) (rate(c_total[5m] offset 1m))", "topk(2, m) or bottomk by (b) (1, n)",
        "histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))", "histogram_quantile(0.5, h)",
        "histogram_fraction(0, 0.2, rate(h[5m]))", "h </ 1", "avg(h) + custom",
        "max_over_time(sum by (a) (rate(c_total[2m]))[10m:30s])", "m * on (a) group_left (job) sum by (a, job) (n)",
        "m + fill (0) n", "quantile_over_time(0.5, mixed[5m])", "label_replace(m, \"c\", \"$1\", \"a\", \"(.*)\")",
        "label_join(m, \"c\", \"-\", \"a\", \"b\")", "count_values(\"v\", m)", "limitk(2, m)", "limit_ratio(-0.5, m)",
        "absent_over_time(nothing[5m])", "increase(c_total[5m] smoothed)", "rate(c_total[3m] anchored)",
        "m @ 1767225600.5 offset -5m", "m @ end()", "avg_over_time(m[step() + 5m:max_of(step(), 30s)])",
        "predict_linear(m[10m], 1e9)", "double_exponential_smoothing(m[5m], 0.5, 0.5)", "info(m, {version=~\".+\"})",
        "sort_by_label(m, \"a\", \"b\")", "-2 ^ m % 7", "time() - timestamp(m)", "day_of_year(vector(-1e12))",
        "histogram_quantiles(latency_bucket, \"q\", 0.1, 0.9)", "round(m, 0.1)", "clamp(big, -1, 1)",
        "scalar(m) < bool 1",
    ]
}
