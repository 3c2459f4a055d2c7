import PromQLSyntax
import SeriesModel

/// A function of PromQL, declared in one place: its kernel, and what happens to the metric name. Types and arity are
/// in `FunctionSignature`, by the same name; a test holds the two together.
struct FunctionDefinition: Sendable {
    var name: String
    var dropsName = true
    var kernel: FunctionKernel
    /// A window function's way to compute all windows of a series of floats in one pass. It gives what the kernel gives.
    var series: SeriesKernel?
    /// Whether `series` looks at how far windows are to be stretched.
    var needsStretches = false
}

/// Changes a column in place; the parameters are one value for each step.
typealias MapKernel = @Sendable (inout Column, _ parameters: [[Double]]) -> Void

/// The function's value over one window of floats, nil for none.
typealias WindowKernel = @Sendable (Window, inout WindowCall) throws -> Double?

/// The function's value over one window that holds histograms, and maybe floats too.
typealias MixedKernel = @Sendable (MixedWindow, inout WindowCall) throws -> PointValue?

enum FunctionKernel: Sendable {
    /// Of each float by itself; histograms are dropped.
    case map(MapKernel)
    /// Of the samples in a window.
    case window(WindowKernel, MixedKernel)
    /// Of whole vectors: it evaluates its arguments itself.
    case vector(@Sendable (Evaluator, CallPlan, Grid, SeriesSink) throws -> Void)
    /// Gives a scalar for each step.
    case scalar(@Sendable (Evaluator, CallPlan, Grid) throws -> [Double])
}

extension FunctionKernel {
    /// Of the floats in a window. Where there are histograms beside them that is told; of histograms alone there is no
    /// value.
    static func floatWindow(_ kernel: @escaping WindowKernel) -> FunctionKernel {
        .window(kernel) { window, call in
            guard window.floats.count > 0 else { return nil }
            if window.histogramCount > 0 {
                call.context.annotations.info(
                    "ignored histograms in a range containing both floats and histograms for metric name "
                        + GoQuote.quote(call.metricName), at: call.firstArgumentRange)
            }
            return try kernel(window.floats, &call).map { .float($0) }
        }
    }
}

/// The samples of one series with `start < time ≤ end`, as a slice of the series' columns: indexes `low ..< high`.
/// Samples outside of the slice may be looked at by functions that need neighbours.
struct Window {
    let times: UnsafeBufferPointer<Timestamp>
    let values: UnsafeBufferPointer<Double>
    /// ms; empty where no start timestamps are known or wanted, 0 for unknown.
    let starts: UnsafeBufferPointer<Timestamp>
    let low: Int
    let high: Int
    /// ms
    let start: Timestamp
    let end: Timestamp
    /// Which step of the grid this is.
    let step: Int
    /// ms; `end` without offset and `@`.
    let evaluationTime: Timestamp

    init(
        times: UnsafeBufferPointer<Timestamp>, values: UnsafeBufferPointer<Double>,
        starts: UnsafeBufferPointer<Timestamp> = UnsafeBufferPointer(start: nil, count: 0), low: Int, high: Int,
        start: Timestamp, end: Timestamp, step: Int, evaluationTime: Timestamp
    ) {
        self.times = times
        self.values = values
        self.starts = starts
        self.low = low
        self.high = high
        self.start = start
        self.end = end
        self.step = step
        self.evaluationTime = evaluationTime
    }

    var count: Int { high &- low }
}

/// A window over a series that has histograms.
struct MixedWindow {
    /// Its edges are the window's.
    let floats: Window
    let times: ArraySlice<Timestamp>
    let histograms: ArraySlice<NativeHistogram>
    /// As `Window.starts`, for all histograms of the series.
    let starts: [Timestamp]
    /// For functions that look at samples outside of the window.
    let allTimes: [Timestamp]
    let allHistograms: [NativeHistogram]

    var histogramCount: Int { histograms.count }

    /// ms, 0 for unknown.
    func startTimestamp(_ index: Int) -> Timestamp { index < starts.count ? starts[index] : 0 }
}

/// What a window function knows besides its window.
struct WindowCall {
    let function: String
    let range: RangePlan
    /// One value for each step.
    let parameters: [[Double]]
    /// The places of all arguments.
    let argumentRanges: [SourceRange]
    let context: EvaluationContext
    var metricName = ""

    func parameter(_ index: Int, at step: Int) -> Double { parameters[index][step] }

    /// The place of the range vector, which messages about the metric point at.
    var rangeArgument: SourceRange { range.range }

    var firstArgumentRange: SourceRange { argumentRanges.first ?? range.range }
}

/// All functions, by name.
enum FunctionTable {
    static let all: [FunctionDefinition] =
        MathFunctions.all + RateFunctions.all + CountingFunctions.all + RegressionFunctions.all + OverTimeFunctions.all
        + TimeFunctions.all + LabelFunctions.all + SortFunctions.all + HistogramFunctions.all
        + QuantileFunctions.all + VectorFunctions.all + AbsenceFunctions.all + InfoFunction.all

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    static func named(_ name: String) -> FunctionDefinition? { byName[name] }

    /// Stands for an expression that is evaluated at no time at all.
    static func nothing(id: Int) -> CallPlan {
        CallPlan(
            id: id, function: FunctionDefinition(name: "", kernel: .vector { _, _, _, _ in }), arguments: [],
            expressions: [], range: SourceRange(0, 0))
    }
}
