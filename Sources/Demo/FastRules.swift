import Foundation

/// A copy of a rule file with seconds for minutes and minutes for hours, so that a demo of two minutes shows what
/// takes an hour in earnest. The copy's groups and alerts carry the label `pace="demo"`.
enum FastRules {
    static func copy(of rules: String) -> String {
        var out = ""
        for line in rules.split(separator: "\n", omittingEmptySubsequences: false) {
            let text = shortened(String(line))
            out += text + "\n"
            let trimmed = text.drop { $0 == " " }
            if trimmed.hasPrefix("- name:") {
                let indent = String(repeating: " ", count: text.count - trimmed.count + 2)
                out += "\(indent)labels:\n\(indent)  pace: demo\n"
            }
        }
        return out
    }

    /// Durations in `for:` and `interval:` lines, in brackets and behind `offset`, one unit shorter.
    private static func shortened(_ line: String) -> String {
        let trimmed = line.drop { $0 == " " }
        for key in ["for:", "interval:", "keep_firing_for:"] where trimmed.hasPrefix(key) {
            let value = trimmed.dropFirst(key.count).drop { $0 == " " }
            let indent = line.prefix(line.count - trimmed.count)
            return indent + key + " " + shorter(String(value))
        }
        var out = ""
        var rest = line[...]
        while let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]") {
            out += rest[...open]
            let inner = String(rest[rest.index(after: open)..<close])
            out += isDuration(inner) ? shorter(inner) : inner
            rest = rest[close...]
        }
        return shortenedOffsets(out + rest)
    }

    private static func shortenedOffsets(_ line: String) -> String {
        var parts = line.components(separatedBy: "offset ")
        for index in parts.indices.dropFirst() {
            let duration = parts[index].prefix { $0.isNumber || $0.isLetter }
            parts[index] = shorter(String(duration)) + parts[index].dropFirst(duration.count)
        }
        return parts.joined(separator: "offset ")
    }

    private static func isDuration(_ text: String) -> Bool {
        guard let unit = text.last, "mhs".contains(unit) else { return false }
        return text.dropLast().allSatisfy(\.isNumber) && text.count > 1
    }

    private static func shorter(_ duration: String) -> String {
        guard isDuration(duration), let unit = duration.last else { return duration }
        let count = String(duration.dropLast())
        switch unit {
        case "h": return count + "m"
        // Windows of a few seconds still need two scrapes inside.
        case "m": return String(max(5, Int(count) ?? 5)) + "s"
        default: return duration
        }
    }
}
