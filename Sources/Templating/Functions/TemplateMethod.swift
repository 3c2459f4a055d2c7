private import SeriesModel

/// A method of a time or a duration.
struct TemplateMethod {
    typealias Body = @Sendable (TemplateValue, [TemplateValue]) throws(FunctionStop) -> TemplateValue

    let parameters: [TemplateParameter]
    let body: Body

    static func find(_ name: String, on receiver: TemplateValue) -> TemplateMethod? {
        switch receiver {
        case .time: timeMethods[name]
        case .duration: durationMethods[name]
        case .named(_, let text, _) where name == "String":
            TemplateMethod(parameters: []) { _, _ throws(FunctionStop) in .string(text) }
        default: nil
        }
    }

    // MARK: time.Time

    private static func time(_ get: @escaping @Sendable (GoTime) -> TemplateValue) -> TemplateMethod {
        TemplateMethod(parameters: []) { receiver, _ throws(FunctionStop) in
            guard case .time(let nanoseconds) = receiver else { return .none }
            return get(GoTime(nanoseconds: nanoseconds))
        }
    }

    private static func time(
        with parameter: TemplateParameter, _ get: @escaping @Sendable (Int64, TemplateValue) -> TemplateValue
    ) -> TemplateMethod {
        TemplateMethod(parameters: [parameter]) { receiver, arguments throws(FunctionStop) in
            guard case .time(let nanoseconds) = receiver, let argument = arguments.first else { return .none }
            return get(nanoseconds, argument)
        }
    }

    private static func compare(_ holds: @escaping @Sendable (Int64, Int64) -> Bool) -> TemplateMethod {
        time(with: .time) { time, argument in
            guard case .time(let other) = argument else { return .none }
            return .bool(holds(time, other))
        }
    }

    private static let timeMethods: [String: TemplateMethod] = [
        "Year": time { .int($0.date.year) },
        "Month": time { .named($0.date.month, $0.monthName, typeName: "time.Month") },
        "Day": time { .int($0.date.day) },
        "YearDay": time { .int($0.dayOfYear) },
        "Weekday": time { .named($0.weekday, $0.weekdayName, typeName: "time.Weekday") },
        "Hour": time { .int($0.hour) },
        "Minute": time { .int($0.minute) },
        "Second": time { .int($0.second) },
        "Nanosecond": time { .int($0.fraction) },
        "Unix": time { .int($0.unix) },
        "UnixMilli": time { .int($0.unixMilliseconds) },
        "UnixNano": time { .int($0.nanoseconds) },
        "String": time { .string($0.description) },
        "UTC": time { .time($0.nanoseconds) },
        "Local": time { .time($0.nanoseconds) },
        "IsZero": time { _ in .bool(false) },
        "Format": time(with: .string) { time, argument in
            guard case .string(let layout) = argument else { return .none }
            return .string(GoTime(nanoseconds: time).format(layout))
        },
        "Add": time(with: .duration) { time, argument in
            guard case .duration(let duration) = argument else { return .none }
            return .time(time.addingClamped(duration))
        },
        "Sub": time(with: .time) { time, argument in
            guard case .time(let other) = argument else { return .none }
            return .duration(time.subtractingClamped(other))
        },
        "Truncate": time(with: .duration) { time, argument in
            guard case .duration(let unit) = argument, unit > 0 else { return .time(time) }
            let rest = (time % unit + unit) % unit
            return .time(time.subtractingClamped(rest))
        },
        "Before": compare { $0 < $1 },
        "After": compare { $0 > $1 },
        "Equal": compare { $0 == $1 },
    ]

    // MARK: time.Duration

    private static func duration(_ get: @escaping @Sendable (Int64) -> TemplateValue) -> TemplateMethod {
        TemplateMethod(parameters: []) { receiver, _ throws(FunctionStop) in
            guard case .duration(let nanoseconds) = receiver else { return .none }
            return get(nanoseconds)
        }
    }

    private static let durationMethods: [String: TemplateMethod] = [
        "String": duration { .string(GoDuration.text($0)) },
        "Hours": duration { .float(Double($0) / 3.6e12) },
        "Minutes": duration { .float(Double($0) / 6e10) },
        "Seconds": duration { .float(Double($0) / 1e9) },
        "Milliseconds": duration { .int($0 / 1_000_000) },
        "Microseconds": duration { .int($0 / 1000) },
        "Nanoseconds": duration { .int($0) },
        "Abs": duration { .duration($0 == .min ? .max : abs($0)) },
    ]
}
