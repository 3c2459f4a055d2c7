import SeriesModel

/// An operator of a query's plan, as `explain=true` answers it.
struct PlanOperator: Decodable {
    var `operator`: String
    var detail: String
    var series: Int
    var samples: Int
    var seconds: Double
    var children: [PlanOperator]

    /// A line for each operator, those below it indented, with columns for what it did.
    var text: String {
        var rows: [(tree: String, figures: [String])] = [("", ["series", "samples", "time"])]
        addRows(to: &rows, depth: 0)
        let treeWidth = rows.map(\.tree.count).max() ?? 0
        let widths = (0..<3).map { column in rows.map { $0.figures[column].count }.max() ?? 0 }
        return rows.map { row in
            let figures = zip(row.figures, widths).map { "  " + padding($0, $1) + $0 }.joined()
            return row.tree + padding(row.tree, treeWidth) + figures
        }.joined(separator: "\n")
    }

    private func padding(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count))
    }

    private func addRows(to rows: inout [(tree: String, figures: [String])], depth: Int) {
        let indent = String(repeating: "  ", count: depth)
        let title = detail.isEmpty ? self.operator : self.operator + ": " + detail
        rows.append((indent + title, [String(series), String(samples), PlanOperator.time(seconds)]))
        for child in children { child.addRows(to: &rows, depth: depth + 1) }
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case 1...: NumberText.fixed(seconds, digits: 2) + " s"
        case 0.001...: NumberText.fixed(seconds * 1e3, digits: 2) + " ms"
        default: NumberText.fixed(seconds * 1e6, digits: 0) + " µs"
        }
    }
}
