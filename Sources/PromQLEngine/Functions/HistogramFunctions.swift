import PromQLSyntax
import SeriesModel

/// Functions of single native histograms; floats are left out.
enum HistogramFunctions {
    static let all: [FunctionDefinition] = [
        ofHistogram("histogram_count") { $0.count },
        ofHistogram("histogram_sum") { $0.sum },
        ofHistogram("histogram_avg") { $0.average },
        ofHistogram("histogram_stddev") { $0.standardDeviation },
        ofHistogram("histogram_stdvar") { $0.variance },
    ]

    private static func ofHistogram(
        _ name: String, _ value: @escaping @Sendable (NativeHistogram) -> Double
    ) -> FunctionDefinition {
        FunctionDefinition(
            name: name,
            kernel: .vector { evaluator, plan, grid, sink in
                var nameless = NameRemoval(evaluator)
                try evaluator.vector(plan.arguments[0], grid) { series in
                    guard let histograms = series.column.histograms, !histograms.present.isEmpty else { return }
                    var series = series
                    series.column = Column(count: grid.count)
                    histograms.forEach { series.column.set($0, value($1)) }
                    try nameless.push(series, sink)
                }
            })
    }
}
