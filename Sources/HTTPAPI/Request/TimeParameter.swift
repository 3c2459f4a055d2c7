import SeriesModel

/// Times and durations as request parameters hold them.
enum TimeParameter {
    /// The ends of time as clients that echo them write them.
    static let minimum = Timestamp((Int64.min / 1000 + 62_135_596_801) * 1000)
    static let maximum = Timestamp((Int64.max / 1000 - 62_135_596_801) * 1000 + 999)
    private static let minimumText = "-292273086-05-16T16:47:06Z"
    private static let maximumText = "292277025-08-18T07:12:54.999999999Z"

    /// Unix seconds with a fraction that is rounded to ms, or RFC 3339.
    /// - Throws: the error whose text upstream has.
    static func time(_ text: String) throws(ParameterFailure) -> Timestamp {
        if let seconds = NumberText.parse(text), seconds.isFinite {
            let whole = seconds.rounded(.towardZero)
            let fraction = ((seconds - whole) * 1000).rounded(.toNearestOrAwayFromZero)
            if let time = Int64(clamping: whole * 1000 + fraction) {
                return Swift.min(Swift.max(time, minimum), maximum)
            }
        }
        if let time = rfc3339(Array(text.utf8)[...]) { return time }
        if text == minimumText { return minimum }
        if text == maximumText || text == "+" + maximumText { return maximum }
        throw ParameterFailure("cannot parse \(GoQuote.quote(text)) to a valid timestamp")
    }

    /// Seconds with a fraction, or Prometheus' `1h30m`.
    /// - Returns: ms
    static func duration(_ text: String) throws(ParameterFailure) -> Int64 {
        if let seconds = NumberText.parse(text), !seconds.isNaN {
            let nanoseconds = seconds * 1e9
            guard abs(nanoseconds) < 9_223_372_036_854_775_808, let whole = Int64(clamping: nanoseconds) else {
                throw ParameterFailure("cannot parse \(GoQuote.quote(text)) to a valid duration. It overflows int64")
            }
            return whole / 1_000_000
        }
        do {
            return try DurationText.parse(text)
        } catch {
            throw ParameterFailure("cannot parse \(GoQuote.quote(text)) to a valid duration")
        }
    }

    /// `2015-06-03T13:21:58.555+01:00`; digits beyond the millisecond are cut.
    private static func rfc3339(_ text: ArraySlice<UInt8>) -> Timestamp? {
        var rest = text
        guard let year = digits(4, &rest), accept("-", &rest), let month = digits(2, &rest), accept("-", &rest),
            let day = digits(2, &rest), accept("T", &rest), let hour = digits(2, &rest), accept(":", &rest),
            let minute = digits(2, &rest), accept(":", &rest), let second = digits(2, &rest),
            (1...12).contains(month), (1...CivilTime.dayCount(year: year, month: month)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var milliseconds: Int64 = 0
        if accept(".", &rest) {
            let fraction = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count)
            var scale: Int64 = 100
            for digit in fraction.prefix(3) {
                milliseconds += scale * Int64(digit - UInt8(ascii: "0"))
                scale /= 10
            }
        }
        guard let offset = offset(&rest), rest.isEmpty else { return nil }
        let seconds = CivilTime.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return (seconds - offset) * 1000 + milliseconds
    }

    /// `Z` or `+01:00`, in seconds.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if accept("Z", &rest) { return 0 }
        let sign: Int64
        if accept("+", &rest) {
            sign = 1
        } else if accept("-", &rest) {
            sign = -1
        } else {
            return nil
        }
        guard let hours = digits(2, &rest), accept(":", &rest), let minutes = digits(2, &rest), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func digits(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard rest.count >= count else { return nil }
        var value: Int64 = 0
        for byte in rest.prefix(count) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        rest = rest.dropFirst(count)
        return value
    }

    private static func accept(_ character: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }
}

/// Why a parameter cannot be read; the caller adds its name.
struct ParameterFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
