private import SeriesModel

/// Numbers, durations and times made readable. All take a number or a text that is one.
enum HumanizingFunctions {
    static let all: [TemplateFunction] = [
        number("humanize") { value throws(FunctionStop) in .string(humanize(value)) },
        number("humanize1024") { value throws(FunctionStop) in .string(humanizeBinary(value)) },
        number("humanizeDuration") { value throws(FunctionStop) in .string(humanizeDuration(value)) },
        number("humanizePercentage") { value throws(FunctionStop) in .string(fourDigits(value * 100) + "%") },
        number("humanizeTimestamp") { value throws(FunctionStop) in
            if value.isNaN || value.isInfinite { return .string(fourDigits(value)) }
            return .string(GoTime(nanoseconds: try nanoseconds(value)).description)
        },
        number("toTime") { value throws(FunctionStop) in
            if value.isNaN || value.isInfinite { throw .failure("value is NaN or Inf") }
            return .time(try nanoseconds(value))
        },
        number("toDuration") { value throws(FunctionStop) in .duration(goInteger(value * 1e9)) },
        TemplateFunction("now", []) { _, context throws(FunctionStop) in
            .float(Double(context.environment.timestamp) / 1000)
        },
        TemplateFunction("parseDuration", [.string]) { arguments, _ throws(FunctionStop) in
            let text = arguments.text(0)
            let isNegative = text.hasPrefix("-")
            do throws(DurationText.ParseError) {
                let milliseconds = try DurationText.parse(isNegative ? String(text.dropFirst()) : text)
                return .float(Double(isNegative ? -milliseconds : milliseconds) / 1000)
            } catch {
                throw .failure(error.description)
            }
        },
    ]

    private static func number(
        _ name: String, _ body: @escaping @Sendable (Double) throws(FunctionStop) -> TemplateValue
    ) -> TemplateFunction {
        TemplateFunction(name, [.any]) { arguments, _ throws(FunctionStop) in
            try body((arguments.first ?? .none).number())
        }
    }

    private static func fourDigits(_ value: Double) -> String { GoFormat.general(value, precision: 4) }

    private static let smallPrefixes = ["m", "u", "n", "p", "f", "a", "z", "y"]

    private static func humanize(_ value: Double) -> String {
        if value == 0 || value.isNaN || value.isInfinite { return fourDigits(value) }
        if abs(value) >= 1 {
            let (scaled, prefix) = scale(value, by: 1000, ["k", "M", "G", "T", "P", "E", "Z", "Y"])
            return fourDigits(scaled) + prefix
        }
        let (scaled, prefix) = magnify(value)
        return fourDigits(scaled) + prefix
    }

    private static func humanizeBinary(_ value: Double) -> String {
        if abs(value) <= 1 || value.isNaN || value.isInfinite { return fourDigits(value) }
        let (scaled, prefix) = scale(value, by: 1024, ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"])
        return fourDigits(scaled) + prefix
    }

    private static func scale(_ value: Double, by factor: Double, _ prefixes: [String]) -> (Double, String) {
        var value = value
        var used = ""
        for prefix in prefixes {
            if abs(value) < factor { break }
            used = prefix
            value /= factor
        }
        return (value, used)
    }

    private static func magnify(_ value: Double) -> (Double, String) {
        var value = value
        var used = ""
        for prefix in smallPrefixes {
            if abs(value) >= 1 { break }
            used = prefix
            value *= 1000
        }
        return (value, used)
    }

    private static func humanizeDuration(_ seconds: Double) -> String {
        if seconds.isNaN || seconds.isInfinite { return fourDigits(seconds) }
        if seconds == 0 { return "0s" }
        guard abs(seconds) >= 1 else {
            let (scaled, prefix) = magnify(seconds)
            return fourDigits(scaled) + prefix + "s"
        }
        let sign = seconds < 0 ? "-" : ""
        let whole = goInteger(abs(seconds))
        let (days, hours) = (whole / 86400, whole / 3600 % 24)
        let (minutes, rest) = (whole / 60 % 60, whole % 60)
        if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(rest)s" }
        if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(rest)s" }
        if minutes != 0 { return "\(sign)\(minutes)m \(rest)s" }
        return sign + fourDigits(abs(seconds)) + "s"
    }

    /// Go's conversion to int64 on amd64: what does not fit becomes the smallest integer.
    private static func goInteger(_ value: Double) -> Int64 {
        guard value > -9.3e18, value < 9_223_372_036_854_775_808, let integer = Int64(clamping: value) else {
            return .min
        }
        return integer
    }

    /// - Returns: the time in nanoseconds, cut to milliseconds.
    private static func nanoseconds(_ seconds: Double) throws(FunctionStop) -> Int64 {
        let nanoseconds = seconds * 1e9
        guard nanoseconds < 9_223_372_036_854_775_808, nanoseconds >= -9_223_372_036_854_775_808,
            let whole = Int64(clamping: nanoseconds)
        else {
            throw .failure(
                "\(GoFormat.general(seconds, precision: nil)) cannot be represented as a nanoseconds timestamp since "
                    + "it overflows int64")
        }
        return whole / 1_000_000 * 1_000_000
    }
}
