import SeriesModel

/// What a series may have at one step.
enum PointValue {
    case float(Double)
    case histogram(NativeHistogram)

    /// As messages about operators name it.
    var typeName: String {
        switch self {
        case .float: "float"
        case .histogram: "histogram"
        }
    }
}

extension Column {
    func point(_ step: Int) -> PointValue? {
        if present.contains(step) { return .float(values[step]) }
        return histograms?[step].map { .histogram($0) }
    }

    mutating func set(_ step: Int, _ point: PointValue) {
        switch point {
        case .float(let value): set(step, value)
        case .histogram(let histogram): set(step, histogram)
        }
    }
}
