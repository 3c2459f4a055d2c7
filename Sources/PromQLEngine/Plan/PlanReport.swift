package import PromQLSyntax

/// What one operator of a query's plan is and did: the answer to `explain`.
package struct PlanReport: Sendable, Equatable {
    /// The operator: "selector", "range function", "aggregate", "binary", …
    package var name: String
    /// What it does, in PromQL's words: `sum by (job)`, `rate [5m]`, `http_requests_total{job="api"}`.
    package var detail: String
    /// The part of the query it answers; nil for an operator that a rewrite put in.
    package var range: SourceRange?
    /// Series that came out.
    package var series = 0
    /// Samples decoded (selectors) or points that came out (all others).
    package var samples = 0
    /// Seconds spent in it, its operands included; summed over threads.
    package var seconds = 0.0
    package var children: [PlanReport] = []

    package init(name: String, detail: String, range: SourceRange? = nil) {
        self.name = name
        self.detail = detail
        self.range = range
    }
}

extension PlanReport {
    /// One line an operator, operands indented below, without figures.
    package var outline: String { lines(indent: "").joined(separator: "\n") }

    private func lines(indent: String) -> [String] {
        ["\(indent)\(name) \(detail)"] + children.flatMap { $0.lines(indent: indent + "  ") }
    }
}
