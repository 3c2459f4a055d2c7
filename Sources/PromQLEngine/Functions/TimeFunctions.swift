import SeriesModel

/// `time()` and the parts of dates, all in UTC.
enum TimeFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(
            name: "time",
            kernel: .scalar { _, _, grid in (0..<grid.count).map { Double(grid.time($0)) / 1000 } }),
        FunctionDefinition(name: "timestamp", kernel: .vector(timestamp)),
        FunctionDefinition(name: "start_timestamp", kernel: .vector(startTimestamp)),
        part("minute") { Double($0.secondOfDay / 60 % 60) },
        part("hour") { Double($0.secondOfDay / 3600) },
        part("day_of_month") { Double($0.day) },
        part("day_of_week") { Double($0.weekday) },
        part("day_of_year") { Double($0.dayOfYear) },
        part("days_in_month") { Double($0.daysInMonth) },
        part("month") { Double($0.month) },
        part("year") { Double($0.year) },
    ]

    private static func part(_ name: String, _ part: @escaping @Sendable (CivilDate) -> Double) -> FunctionDefinition {
        FunctionDefinition(
            name: name,
            kernel: .vector { evaluator, plan, grid, sink in
                guard let operand = plan.arguments.first else {
                    let values = (0..<grid.count).map { step -> Double in
                        CivilDate(seconds: Double(grid.time(step)) / 1000).map(part) ?? .nan
                    }
                    return try sink(VectorSeries(labels: .empty, column: Column(values: values)))
                }
                var nameless = NameRemoval(evaluator)
                try evaluator.vector(operand, grid) { series in
                    if series.column.present.isEmpty { return }
                    var series = series
                    series.column.histograms = nil
                    for index in series.column.values.indices {
                        series.column.values[index] = CivilDate(seconds: series.column.values[index]).map(part) ?? .nan
                    }
                    try nameless.push(series, sink)
                }
            })
    }

    /// Directly over a selector the time of the sample itself; over anything else the evaluation time.
    private static func timestamp(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        guard let operand = plan.arguments.first else { return }
        var nameless = NameRemoval(evaluator)
        if let selector = operand.directSelector {
            return try evaluator.selectorTimestamps(selector, grid) { try nameless.push($0, sink) }
        }
        try evaluator.vector(operand, grid) { series in
            var column = Column(count: grid.count)
            series.column.anyPresent.forEach { column.set($0, Double(grid.time($0)) / 1000) }
            try nameless.push(
                VectorSeries(labels: series.labels, dropsName: series.dropsName, column: column), sink)
        }
    }

    /// Known of the samples of a selector only, and only where start timestamps are in use.
    private static func startTimestamp(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        guard evaluator.context.options.usesStartTimestamps, let selector = plan.arguments.first?.directSelector else {
            return
        }
        var nameless = NameRemoval(evaluator)
        try evaluator.selectorStartTimestamps(selector, grid) { try nameless.push($0, sink) }
    }
}

extension PlanNode {
    /// A selector that a function is applied to without anything between.
    fileprivate var directSelector: SelectorPlan? {
        switch self {
        case .selector(let plan): plan
        case .stepInvariant(let plan): plan.operand.directSelector
        default: nil
        }
    }
}

/// A UTC date of the proleptic Gregorian calendar, by Howard Hinnant's `civil_from_days`.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64
    var secondOfDay: Int64
    /// 0 for Sunday.
    var weekday: Int64
    /// From 1.
    var dayOfYear: Int64

    /// Nil for NaN and beyond the years that have a meaning.
    init?(seconds: Double) {
        guard let total = Int64(clamping: seconds), abs(seconds) < 1e15 else { return nil }
        let days = CivilDate.floorDivide(total, 86_400)
        secondOfDay = total - days * 86_400
        weekday = CivilDate.floorModulo(days + 4, 7)
        let shifted = days + 719_468
        let era = CivilDate.floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayFromMarch + 2) / 153
        day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let isLeap = CivilDate.isLeap(year)
        let before: [Int64] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        dayOfYear = before[Int(month - 1)] + day + (isLeap && month > 2 ? 1 : 0)
    }

    var daysInMonth: Int64 {
        switch month {
        case 2: CivilDate.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }

    private static func floorModulo(_ a: Int64, _ b: Int64) -> Int64 { a - floorDivide(a, b) * b }
}
