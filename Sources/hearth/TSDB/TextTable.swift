/// Columns as wide as their widest cell, as promtool prints them.
enum TextTable {
    /// - Parameters:
    ///   - minimumWidth: of a column with its padding.
    ///   - padding: blanks between columns.
    static func text(_ rows: [[String]], minimumWidth: Int, padding: Int) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.dropLast().enumerated() {
                if column == widths.count { widths.append(minimumWidth) }
                widths[column] = max(widths[column], cell.count + padding)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column < row.count - 1 {
                    text += String(repeating: " ", count: widths[column] - cell.count)
                }
            }
            text += "\n"
        }
        return text
    }
}

/// Values as Go's libraries print them.
enum GoText {
    /// `2h0m0s`, `49m45.001s`, `5ms`, `0s`.
    static func duration(milliseconds: Int64) -> String {
        let magnitude = milliseconds.magnitude
        let sign = milliseconds < 0 ? "-" : ""
        if magnitude == 0 { return "0s" }
        if magnitude < 1000 { return "\(sign)\(magnitude)ms" }
        let (minutes, rest) = magnitude.quotientAndRemainder(dividingBy: 60_000)
        var seconds = String(rest / 1000)
        if rest % 1000 != 0 {
            var digits = String(rest % 1000 + 1000).dropFirst()
            while digits.hasSuffix("0") { digits.removeLast() }
            seconds += "." + digits
        }
        let (hours, minute) = minutes.quotientAndRemainder(dividingBy: 60)
        if hours > 0 { return "\(sign)\(hours)h\(minute)m\(seconds)s" }
        return minutes > 0 ? "\(sign)\(minute)m\(seconds)s" : "\(sign)\(seconds)s"
    }

    /// `2KiB525B`.
    static func bytes(_ count: Int) -> String {
        if count <= 0 { return "\(count)B" }
        var text = ""
        var rest = count
        for (shift, unit) in [(60, "EiB"), (50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB"), (0, "B")] {
            let (whole, remainder) = rest.quotientAndRemainder(dividingBy: 1 << shift)
            if whole > 0 { text += "\(whole)\(unit)" }
            rest = remainder
        }
        return text
    }
}
