import SeriesModel

/// Order of an instant vector. A range is always sorted by labels, so there they change nothing.
enum SortFunctions {
    static let all: [FunctionDefinition] = [
        byValue("sort") { $0 < $1 || (!$0.isNaN && $1.isNaN) },
        byValue("sort_desc") { $0 > $1 || (!$0.isNaN && $1.isNaN) },
        byLabel("sort_by_label", isDescending: false),
        byLabel("sort_by_label_desc", isDescending: true),
    ]

    private static func byValue(
        _ name: String, _ precedes: @escaping @Sendable (Double, Double) -> Bool
    ) -> FunctionDefinition {
        ordering(name) { _, _, series in
            series.removeAll { $0.column.present.isEmpty }
            series.sort { precedes($0.column.values[0], $1.column.values[0]) }
        }
    }

    private static func byLabel(_ name: String, isDescending: Bool) -> FunctionDefinition {
        ordering(name) { evaluator, plan, series in
            let labels = try plan.arguments.dropFirst().map { try evaluator.string($0) }
            series.sort { a, b in
                for label in labels {
                    let (left, right) = (a.labels[label] ?? "", b.labels[label] ?? "")
                    if left.hasSameBytes(as: right) { continue }
                    let isBefore = NaturalOrder.precedes(left, right)
                    return isDescending ? !isBefore : isBefore
                }
                return isDescending ? b.labels < a.labels : a.labels < b.labels
            }
        }
    }

    private static func ordering(
        _ name: String,
        _ sort: @escaping @Sendable (Evaluator, CallPlan, inout [VectorSeries]) throws -> Void
    ) -> FunctionDefinition {
        FunctionDefinition(
            name: name, dropsName: false,
            kernel: .vector { evaluator, plan, grid, sink in
                var series = try evaluator.materialize(plan.arguments[0], grid)
                if grid.count == 1 {
                    try sort(evaluator, plan, &series)
                } else {
                    evaluator.context.annotations.warn(
                        "sort is ineffective for range queries since results are always ordered by labels",
                        at: plan.range)
                }
                for one in series { try sink(one) }
                evaluator.release(series)
            })
    }
}

/// Text order in which runs of digits compare as numbers: `node2` before `node10`. Texts are compared run by run, of
/// digits or of anything else, so that `web1` comes before `web-1`: `web` is the shorter run.
enum NaturalOrder {
    static func precedes(_ a: String, _ b: String) -> Bool {
        var left = Array(a.utf8)[...]
        var right = Array(b.utf8)[...]
        while !left.isEmpty, !right.isEmpty {
            let (x, y) = (takeRun(&left), takeRun(&right))
            if x.elementsEqual(y) { continue }
            if let m = number(x), let n = number(y) {
                if m != n { return m < n }
            } else {
                return x.lexicographicallyPrecedes(y)
            }
        }
        // Leading zeros, if anything, are left to tell them apart.
        return left.isEmpty && right.isEmpty ? a.precedesByBytes(b) : left.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func takeRun(_ text: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isNumeric = text.first.map(isDigit) ?? false
        let run = text.prefix { isDigit($0) == isNumeric }
        text = text.dropFirst(run.count)
        return run
    }

    /// Nil for what is no number, or too large for one.
    private static func number(_ run: ArraySlice<UInt8>) -> Int64? {
        guard let first = run.first, isDigit(first) else { return nil }
        return Int64(String(decoding: run, as: UTF8.self))
    }
}
