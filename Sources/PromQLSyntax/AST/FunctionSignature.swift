/// A function as the parser knows it: name, types, number of arguments. The engine joins a kernel to each by name.
package struct FunctionSignature: Sendable {
    package var name: String
    package var argumentTypes: [ValueType]
    /// How often the last argument may be left out or repeated: 0 never, n up to n times, -1 any number of times
    /// (also none).
    package var variadic: Int
    package var returnType: ValueType
    package var isExperimental: Bool

    private init(
        _ name: String, _ argumentTypes: [ValueType], variadic: Int = 0, returns returnType: ValueType = .vector,
        experimental: Bool = false
    ) {
        self.name = name
        self.argumentTypes = argumentTypes
        self.variadic = variadic
        self.returnType = returnType
        isExperimental = experimental
    }

    package static func named(_ name: String) -> FunctionSignature? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// All functions of the language.
    package static let all: [FunctionSignature] =
        ofVector + ofRange + ofTime + ofLabels + ofHistograms + ofScalars

    private static let ofVector: [FunctionSignature] =
        [
            "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp",
            "floor", "ln", "log10", "log2", "rad", "sgn", "sin", "sinh", "sort", "sort_desc", "sqrt", "tan", "tanh",
            "timestamp",
        ].map { FunctionSignature($0, [.vector]) } + [
            FunctionSignature("clamp", [.vector, .scalar, .scalar]),
            FunctionSignature("clamp_max", [.vector, .scalar]),
            FunctionSignature("clamp_min", [.vector, .scalar]),
            FunctionSignature("round", [.vector, .scalar], variadic: 1),
            FunctionSignature("scalar", [.vector], returns: .scalar),
            FunctionSignature("vector", [.scalar]),
            FunctionSignature("start_timestamp", [.vector], experimental: true),
            FunctionSignature("info", [.vector, .vector], variadic: 1, experimental: true),
        ]

    private static let ofRange: [FunctionSignature] =
        [
            "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "first_over_time",
            "idelta", "increase", "irate", "last_over_time", "max_over_time", "min_over_time", "present_over_time",
            "rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time",
        ].map { FunctionSignature($0, [.matrix]) }
        + [
            "mad_over_time", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time",
            "ts_of_min_over_time",
        ].map { FunctionSignature($0, [.matrix], experimental: true) } + [
            FunctionSignature("double_exponential_smoothing", [.matrix, .scalar, .scalar], experimental: true),
            FunctionSignature("predict_linear", [.matrix, .scalar]),
            FunctionSignature("quantile_over_time", [.scalar, .matrix]),
        ]

    private static let ofTime: [FunctionSignature] =
        ["day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]
        .map { FunctionSignature($0, [.vector], variadic: 1) } + [
            FunctionSignature("time", [], returns: .scalar)
        ]

    private static let ofLabels: [FunctionSignature] = [
        FunctionSignature("label_join", [.vector, .string, .string, .string], variadic: -1),
        FunctionSignature("label_replace", [.vector, .string, .string, .string, .string]),
        FunctionSignature("sort_by_label", [.vector, .string], variadic: -1, experimental: true),
        FunctionSignature("sort_by_label_desc", [.vector, .string], variadic: -1, experimental: true),
    ]

    private static let ofHistograms: [FunctionSignature] =
        ["histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"]
        .map { FunctionSignature($0, [.vector]) } + [
            FunctionSignature("histogram_fraction", [.scalar, .scalar, .vector]),
            FunctionSignature("histogram_quantile", [.scalar, .vector]),
            FunctionSignature(
                "histogram_quantiles", [.vector, .string, .scalar, .scalar], variadic: 9, experimental: true),
        ]

    private static let ofScalars: [FunctionSignature] = [
        FunctionSignature("pi", [], returns: .scalar),
        FunctionSignature("start", [], returns: .scalar, experimental: true),
        FunctionSignature("end", [], returns: .scalar, experimental: true),
        FunctionSignature("step", [], returns: .scalar, experimental: true),
        FunctionSignature("range", [], returns: .scalar, experimental: true),
        FunctionSignature("max_of", [.scalar, .scalar], returns: .scalar, experimental: true),
        FunctionSignature("min_of", [.scalar, .scalar], returns: .scalar, experimental: true),
    ]
}
