/// What a plain scalar is by YAML 1.1's rules, as Go's yaml.v2 applies them.
enum ScalarText {
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": true
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": false
        default: nil
        }
    }

    /// Whole numbers: `12`, `1_000`, `0x1F`, `0b11`, `017` (octal); a fraction is cut off, as upstream does.
    static func int(_ text: String) -> Int? {
        if let whole = whole(text) { return whole }
        guard let number = double(text), number.magnitude < 9e18 else { return nil }
        return Int(exactly: number.rounded(.towardZero))
    }

    static func double(_ text: String) -> Double? {
        switch text {
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
        case "-.inf", "-.Inf", "-.INF": return -.infinity
        case ".nan", ".NaN", ".NAN": return .nan
        default: break
        }
        if let whole = whole(text) { return Double(whole) }
        let digits = text.filter { $0 != "_" }
        let isNumber = digits.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
        return isNumber && digits.utf8.contains(where: { (0x30...0x39).contains($0) }) ? Double(digits) : nil
    }

    private static func whole(_ text: String) -> Int? {
        let plain = text.filter { $0 != "_" }
        var digits = plain[...]
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits = digits.dropFirst() }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first) else { return nil }
        let prefixes: [(String, Int)] = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8), ("0", 8)]
        for (prefix, radix) in prefixes where digits.hasPrefix(prefix) && digits.utf8.count > prefix.utf8.count {
            return Int((isNegative ? "-" : "") + digits.dropFirst(prefix.count), radix: radix)
        }
        return Int((isNegative ? "-" : "") + digits)
    }

    /// The tag that YAML gives a scalar nobody tagged.
    static func tag(_ text: String, isQuoted: Bool) -> String {
        if isQuoted { return "!!str" }
        if bool(text) != nil { return "!!bool" }
        if whole(text) != nil { return "!!int" }
        return double(text) != nil ? "!!float" : "!!str"
    }

    /// For messages: long texts are cut.
    static func shortened(_ text: String) -> String {
        text.utf8.count > 10 ? String(decoding: text.utf8.prefix(7), as: UTF8.self) + "..." : text
    }
}
