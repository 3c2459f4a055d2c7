import Rules
import SeriesModel

/// The body of a POST to Alertmanager's `/api/v2/alerts`.
enum AlertPayload {
    static func json(_ alerts: [Alert]) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for (index, alert) in alerts.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out += "{\"annotations\":".utf8
            append(alert.annotations, to: &out)
            out += ",\"endsAt\":\"\(RFC3339.text(alert.endsAt))\"".utf8
            out += ",\"startsAt\":\"\(RFC3339.text(alert.startsAt))\"".utf8
            out += ",\"generatorURL\":".utf8
            append(alert.generatorURL, to: &out)
            out += ",\"labels\":".utf8
            append(alert.labels, to: &out)
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    private static func append(_ labels: LabelSet, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "{"))
        for (index, label) in labels.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            append(label.name, to: &out)
            out.append(UInt8(ascii: ":"))
            append(label.value, to: &out)
        }
        out.append(UInt8(ascii: "}"))
    }

    private static func append(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                out.append(UInt8(ascii: "\\"))
                out.append(byte)
            case 0..<0x20:
                out += ("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)).utf8
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

/// Times as `2026-01-31T23:59:59.123Z`.
enum RFC3339 {
    static func text(_ time: Timestamp) -> String {
        // Beyond the four-digit years there is no text that a reader would take.
        let time = min(max(time, -62_135_596_800_000), 253_402_300_799_999)
        let (days, milliseconds) = floorDivide(time, 86_400_000)
        let (year, month, day) = civil(days)
        let seconds = milliseconds / 1000
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + padded(seconds / 3600, 2) + ":"
            + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2) + "." + padded(milliseconds % 1000, 3) + "Z"
    }

    /// Howard Hinnant's `civil_from_days`.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
        return rest < 0 ? (quotient - 1, rest + b) : (quotient, rest)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
