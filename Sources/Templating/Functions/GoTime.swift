/// A moment in UTC, in the calendar and layouts of Go's `time` package.
struct GoTime {
    let nanoseconds: Int64

    private var seconds: Int64 { floorDivide(nanoseconds, 1_000_000_000) }
    private var day: Int64 { floorDivide(seconds, 86_400) }
    private var secondOfDay: Int64 { seconds - day * 86_400 }

    var fraction: Int64 { nanoseconds - seconds * 1_000_000_000 }
    var hour: Int64 { secondOfDay / 3600 }
    var minute: Int64 { secondOfDay / 60 % 60 }
    var second: Int64 { secondOfDay % 60 }
    /// Sunday is 0.
    var weekday: Int64 { ((day + 4) % 7 + 7) % 7 }
    var unix: Int64 { seconds }
    var unixMilliseconds: Int64 { floorDivide(nanoseconds, 1_000_000) }

    /// Year, month and day of the month, from the days since 1970 (Howard Hinnant's `civil_from_days`).
    var date: (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    var dayOfYear: Int64 {
        let (year, month, dayOfMonth) = date
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let before: [Int64] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        return before[Int(month - 1)] + dayOfMonth + (isLeap && month > 2 ? 1 : 0)
    }

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    var monthName: String { GoTime.months[Int(date.month - 1)] }
    var weekdayName: String { GoTime.weekdays[Int(weekday)] }

    /// `2006-01-02 15:04:05.999999999 -0700 MST`
    var description: String { format("2006-01-02 15:04:05.999999999 -0700 MST") }

    // MARK: Layouts

    /// The reference time's pieces, longer ones before their beginnings.
    private static let pieces = [
        "January", "Jan", "Monday", "Mon", "MST", "2006", "Z07:00:00", "Z070000", "Z07:00", "Z0700", "Z07", "-07:00:00",
        "-070000", "-07:00", "-0700", "-07", "__2", "_2", "002", "01", "02", "03", "04", "05", "06", "15", "PM", "pm",
        "1", "2", "3", "4", "5",
    ]

    func format(_ layout: String) -> String {
        var out = ""
        var rest = Substring(layout)
        while let first = rest.first {
            if let (text, length) = fractionText(rest) {
                out += text
                rest.removeFirst(length)
            } else if let piece = GoTime.pieces.first(where: { rest.hasPrefix($0) }), isWholeWord(piece, in: rest) {
                out += text(of: piece)
                rest.removeFirst(piece.count)
            } else {
                out.append(first)
                rest.removeFirst()
            }
        }
        return out
    }

    /// "Jan" in "Janet" is no month: a lower-case letter after it makes it a word.
    private func isWholeWord(_ piece: String, in text: Substring) -> Bool {
        guard piece == "Jan" || piece == "Mon" else { return true }
        guard let next = text.dropFirst(3).first else { return true }
        return !(next.isASCII && next.isLowercase)
    }

    /// `.000` and `,999` after seconds: a fraction with fixed width, or without trailing zeros.
    private func fractionText(_ text: Substring) -> (String, Int)? {
        guard let point = text.first, point == "." || point == ",", let digit = text.dropFirst().first,
            digit == "0" || digit == "9"
        else { return nil }
        let count = text.dropFirst().prefix { $0 == digit }.count
        if let next = text.dropFirst(1 + count).first, next.isASCII, next.isNumber { return nil }
        guard count <= 9 else { return nil }
        let all = GoTime.padded(fraction, 9)
        var digits = all.prefix(count)
        if digit == "9" {
            while digits.last == "0" { digits.removeLast() }
            return (digits.isEmpty ? "" : String(point) + digits, count + 1)
        }
        return (String(point) + digits, count + 1)
    }

    private func text(of piece: String) -> String {
        let (year, month, day) = date
        let hour12 = hour % 12 == 0 ? 12 : hour % 12
        switch piece {
        case "2006": return GoTime.padded(year, 4)
        case "06": return GoTime.padded(((year % 100) + 100) % 100, 2)
        case "01": return GoTime.padded(month, 2)
        case "1": return String(month)
        case "January": return monthName
        case "Jan": return String(monthName.prefix(3))
        case "02": return GoTime.padded(day, 2)
        case "_2": return day < 10 ? " \(day)" : String(day)
        case "2": return String(day)
        case "002": return GoTime.padded(dayOfYear, 3)
        case "__2":
            let text = String(dayOfYear)
            return String(repeating: " ", count: max(0, 3 - text.count)) + text
        case "Monday": return weekdayName
        case "Mon": return String(weekdayName.prefix(3))
        case "15": return GoTime.padded(hour, 2)
        case "03": return GoTime.padded(hour12, 2)
        case "3": return String(hour12)
        case "04": return GoTime.padded(minute, 2)
        case "4": return String(minute)
        case "05": return GoTime.padded(second, 2)
        case "5": return String(second)
        case "PM": return hour >= 12 ? "PM" : "AM"
        case "pm": return hour >= 12 ? "pm" : "am"
        case "MST": return "UTC"
        default: return GoTime.zone(piece)
        }
    }

    /// UTC in the form of a zone piece.
    private static func zone(_ piece: String) -> String {
        if piece.hasPrefix("Z") { return "Z" }
        switch piece {
        case "-07:00:00": return "+00:00:00"
        case "-070000": return "+000000"
        case "-07:00": return "+00:00"
        case "-0700": return "+0000"
        default: return "+00"
        }
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = a / b
        return a % b < 0 ? quotient - 1 : quotient
    }
}

/// Go's `time.Duration` as text: `1h30m0s`, `1.5s`, `20ms`.
enum GoDuration {
    static func text(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let magnitude = nanoseconds.magnitude
        if magnitude < 1_000_000_000 {
            let (unit, size): (String, UInt64) =
                magnitude < 1000 ? ("ns", 1) : magnitude < 1_000_000 ? ("µs", 1000) : ("ms", 1_000_000)
            return sign + decimal(magnitude / size, magnitude % size, size) + unit
        }
        let seconds = magnitude / 1_000_000_000
        let rest = decimal(seconds % 60, magnitude % 1_000_000_000, 1_000_000_000) + "s"
        if seconds < 60 { return sign + rest }
        if seconds < 3600 { return sign + "\(seconds / 60)m" + rest }
        return sign + "\(seconds / 3600)h\(seconds / 60 % 60)m" + rest
    }

    private static func decimal(_ whole: UInt64, _ fraction: UInt64, _ scale: UInt64) -> String {
        if fraction == 0 { return String(whole) }
        var digits = String(fraction + scale).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return String(whole) + "." + digits
    }
}
