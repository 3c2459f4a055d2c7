private import SeriesModel
import Synchronization

/// One metric name with its children by label text.
final class MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram, summary
    }

    let name: String
    let help: String
    let kind: Kind
    let children = Mutex<[String: any AnyMetric]>([:])

    init(name: String, help: String, kind: Kind) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    func write(to text: inout String, openMetrics: Bool) {
        let current = children.withLock { $0.sorted { $0.key < $1.key } }
        guard !current.isEmpty else { return }
        var family = name
        if openMetrics, kind == .counter, family.hasSuffix("_total") { family.removeLast("_total".count) }
        let help = MetricFamily.escape(help, quotes: openMetrics)
        text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n"
        for (labels, metric) in current { metric.write(name: name, labels: labels, to: &text) }
    }

    /// `a="x",b="y"`, escaped for the text format.
    static func render(_ labels: [(String, String)]) -> String {
        labels.map { $0.0 + "=\"" + escape($0.1, quotes: true) + "\"" }.joined(separator: ",")
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}

/// What a family can hold: something that writes its own lines.
package protocol AnyMetric: AnyObject, Sendable {
    func write(name: String, labels: String, to text: inout String)
}

func writeSample(
    _ name: String, _ labels: String, _ value: Double, extra: (String, String)? = nil, to text: inout String
) {
    text += name
    var all = labels
    if let extra { all += (all.isEmpty ? "" : ",") + extra.0 + "=\"" + extra.1 + "\"" }
    if !all.isEmpty { text += "{" + all + "}" }
    text += " " + NumberText.apiValue(value) + "\n"
}
