private import SeriesModel

/// Values as Go's `fmt` writes them.
enum GoFormat {
    /// `%v`
    static func text(of value: TemplateValue) -> String {
        switch value {
        case .none: "<no value>"
        case .float(let value): general(value, precision: nil)
        default: nested(value)
        }
    }

    private static func nested(_ value: TemplateValue) -> String {
        switch value {
        case .none: return "<nil>"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .uint(let value): return String(value)
        case .float(let value): return general(value, precision: nil)
        case .string(let text), .safeHTML(let text): return text
        case .list(let list): return "[" + list.map(nested).joined(separator: " ") + "]"
        case .labels(let map): return mapText(map.mapValues { TemplateValue.string($0) })
        case .map(let map): return mapText(map)
        case .record(let fields, _):
            // The order of an alert's fields.
            let names = ["Labels", "ExternalLabels", "ExternalURL", "Value"]
            let known = names.compactMap { fields[$0] }
            return "{" + known.map(nested).joined(separator: " ") + "}"
        case .sample(let sample): return "&{" + nested(.labels(sample.labels)) + " " + nested(sample.value) + "}"
        case .vector(let samples): return "[" + samples.map { nested(.sample($0)) }.joined(separator: " ") + "]"
        case .time(let nanoseconds): return GoTime(nanoseconds: nanoseconds).description
        case .duration(let nanoseconds): return GoDuration.text(nanoseconds)
        case .named(_, let name, _): return name
        }
    }

    private static func mapText(_ map: [String: TemplateValue]) -> String {
        let keys = map.keys.sorted { $0.precedesByBytes($1) }
        return "map[" + keys.map { $0 + ":" + nested(map[$0] ?? .none) }.joined(separator: " ") + "]"
    }

    /// `fmt.Sprint`: a blank between operands when neither is a text.
    static func print(_ values: [TemplateValue]) -> String {
        var out = ""
        var previousIsText = true
        for (index, value) in values.enumerated() {
            let isText: Bool
            if case .string = value { isText = true } else { isText = false }
            if index > 0, !isText, !previousIsText { out += " " }
            out += nested(value)
            previousIsText = isText
        }
        return out
    }

    /// `%g`: the exponent form below 1e-4 and from 10^precision on. Without a precision the digits are the shortest
    /// that read back, and the exponent form begins at 1e6.
    static func general(_ value: Double, precision: Int?) -> String {
        guard value.isFinite else { return NumberText.fixed(value) }
        let precision = precision.map { max($0, 1) }
        let text =
            precision.map { NumberText.scientific(value, digits: $0 - 1) } ?? NumberText.scientific(value)
        let parts = text.split(separator: "e", maxSplits: 1)
        guard parts.count == 2, let exponent = Int(parts[1].hasPrefix("+") ? parts[1].dropFirst() : parts[1]) else {
            return text
        }
        let isNegative = parts[0].hasPrefix("-")
        var digits = Array(parts[0].utf8.filter { $0 >= 0x30 && $0 <= 0x39 })
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        let sign = isNegative ? "-" : ""
        if exponent < -4 || exponent >= precision ?? 6 {
            let mantissa = String(decoding: digits.prefix(1), as: UTF8.self)
            let fraction = String(decoding: digits.dropFirst(), as: UTF8.self)
            return sign + mantissa + (fraction.isEmpty ? "" : "." + fraction) + "e" + parts[1]
        }
        if exponent < 0 {
            let zeros = String(repeating: "0", count: -exponent - 1)
            return sign + "0." + zeros + String(decoding: digits, as: UTF8.self)
        }
        while digits.count <= exponent { digits.append(0x30) }
        let whole = String(decoding: digits.prefix(exponent + 1), as: UTF8.self)
        let fraction = String(decoding: digits.dropFirst(exponent + 1), as: UTF8.self)
        return sign + whole + (fraction.isEmpty ? "" : "." + fraction)
    }
}
