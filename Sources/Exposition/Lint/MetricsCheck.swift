import SeriesModel

/// `check metrics`: a body linted and counted, with the words, streams and exit statuses of promtool.
package struct MetricsCheck: Sendable {
    package var output = ""
    package var errors = ""
    package var status: Int32 = 0

    private static let failed: Int32 = 1
    private static let hasProblems: Int32 = 3

    /// - Parameters:
    ///   - lints: whether problems are looked for.
    ///   - extended: whether series are counted.
    package init(_ body: [UInt8], lints: Bool, extended: Bool) {
        guard lints || extended else {
            errors =
                "error: at least one of --extended or linting must be enabled\n"
                + "Use --extended for cardinality analysis, or remove --lint=none to enable linting\n"
            status = MetricsCheck.failed
            return
        }
        let lint: MetricLint
        do {
            lint = try MetricLint(body)
        } catch {
            let what = lints ? "error while linting" : "error while parsing text to metric families"
            errors = "\(what): text format parsing error in line \(error.line): \(error.message)\n"
            status = MetricsCheck.failed
            return
        }
        if lints {
            let problems = lint.problems
            errors = problems.map { "\($0.metric) \($0.text)\n" }.joined()
            if !problems.isEmpty { status = MetricsCheck.hasProblems }
        }
        if extended { output = MetricsCheck.table(lint.cardinalities) }
    }

    /// Columns as Go's tabwriter sets them: each four wider than its widest cell.
    private static func table(_ cardinalities: [MetricLint.Cardinality]) -> String {
        var rows = [["Metric", "Cardinality", "Percentage"]]
        rows += cardinalities.map {
            [$0.metric, String($0.count), NumberText.fixed($0.share * 100, digits: 2) + "%"]
        }
        rows.append(["Total", String(cardinalities.reduce(0) { $0 + $1.count }), "100%"])
        let widths = (0..<3).map { column in (rows.map { $0[column].unicodeScalars.count }.max() ?? 0) + 4 }
        return rows.map { row in
            zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.unicodeScalars.count)
            }.joined() + "\n"
        }.joined()
    }
}
