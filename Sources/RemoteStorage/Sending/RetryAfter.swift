import SeriesModel

/// The value of a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date.
enum RetryAfter {
    /// Longer waits are cut: a receiver cannot silence a queue for good. ms
    static let waitMax: Int64 = 3_600_000

    /// - Returns: ms from now; nil for what is no time to come.
    static func milliseconds(_ value: String, now: Timestamp) -> Int64? {
        let text = value.utf8.filter { $0 != 0x20 && $0 != 0x09 }
        if !text.isEmpty, text.count < 12, text.allSatisfy({ (0x30...0x39).contains($0) }) {
            let seconds = text.reduce(0 as Int64) { $0 * 10 + Int64($1 - 0x30) }
            return seconds > 0 ? min(seconds * 1000, waitMax) : nil
        }
        guard let date = date(value) else { return nil }
        let wait = date.subtractingClamped(now)
        return wait > 0 ? min(wait, waitMax) : nil
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func date(_ value: String) -> Timestamp? {
        let parts = value.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
            (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").map { Int64($0) ?? -1 }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        let days = CivilTime.days(year: year, month: Int64(month) + 1, day: day)
        return ((days * 24 + clock[0]) * 60 + clock[1]) * 60_000 + clock[2] * 1000
    }
}
