/// Dates of the proleptic Gregorian calendar in UTC, as the API and HTTP write them.
package struct CivilTime: Sendable, Hashable {
    package var year: Int64
    package var month: Int64
    package var day: Int64
    package var hour: Int64
    package var minute: Int64
    package var second: Int64
    package var millisecond: Int64
    /// 0 is Sunday.
    package var weekday: Int64

    /// Algorithm: eras of 400 years of 146097 days, years beginning in March, so that the leap day is the last.
    package init(_ timestamp: Timestamp) {
        let (days, milliseconds) = CivilTime.floorDivide(timestamp, 86_400_000)
        millisecond = milliseconds % 1000
        second = milliseconds / 1000 % 60
        minute = milliseconds / 60_000 % 60
        hour = milliseconds / 3_600_000
        weekday = CivilTime.floorDivide(days + 4, 7).remainder
        let (era, dayOfEra) = CivilTime.floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Days since 1970-01-01. - Precondition: `year` within four digits.
    package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let fromMarch = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(fromMarch, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package static func dayCount(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // MARK: Text

    /// RFC 3339 with as many decimals as there are: `2015-06-03T13:21:58.55Z`.
    package var rfc3339: String {
        var text = "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(clock)"
        if millisecond != 0 {
            var digits = pad(millisecond, 3)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    /// RFC 3339 with three decimals: `2015-06-03T13:21:58.550Z`.
    package var rfc3339Milliseconds: String {
        "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(clock).\(pad(millisecond, 3))Z"
    }

    /// As upstream names snapshots: `20150603T132158Z`.
    package var compact: String {
        "\(pad(year, 4))\(pad(month, 2))\(pad(day, 2))T\(pad(hour, 2))\(pad(minute, 2))\(pad(second, 2))Z"
    }

    /// As Go prints times: `2015-06-03 13:21:58 +0000 UTC`.
    package var spelled: String { "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2)) \(clock) +0000 UTC" }

    /// What JSON has for a time that never was.
    package static let never = "0001-01-01T00:00:00Z"

    /// The form of HTTP's `Date` header.
    package var httpDate: String {
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(names[Int(weekday)]), \(pad(day, 2)) \(months[Int(month - 1)]) \(pad(year, 4)) \(clock) GMT"
    }

    private var clock: String { "\(pad(hour, 2)):\(pad(minute, 2)):\(pad(second, 2))" }

    private func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
