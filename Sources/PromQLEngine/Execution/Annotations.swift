import PromQLSyntax
import SeriesModel

/// Warnings and infos of one query, each text once, in the order of their places.
struct Annotations {
    private enum Kind { case warning, info }

    private struct Key: Hashable {
        var isWarning: Bool
        var text: String
    }

    private static let shownMax = 10
    private var places: [Key: SourceRange] = [:]

    mutating func warn(_ text: String, at range: SourceRange) {
        places[Key(isWarning: true, text: "PromQL warning: " + text)] = range
    }

    mutating func info(_ text: String, at range: SourceRange) {
        places[Key(isWarning: false, text: "PromQL info: " + text)] = range
    }

    func texts(in query: [UInt8]) -> (warnings: [String], infos: [String]) {
        (shown(warnings: true, query), shown(warnings: false, query))
    }

    private func shown(warnings: Bool, _ query: [UInt8]) -> [String] {
        let sorted = places.filter { $0.key.isWarning == warnings }
            .sorted { ($0.value.start, $0.key.text) < ($1.value.start, $1.key.text) }
        var texts = sorted.prefix(Annotations.shownMax).map { key, range in
            "\(key.text) (\(SourcePosition(offset: range.start, in: query)))"
        }
        let omitted = sorted.count - texts.count
        if omitted > 0 {
            texts.append("\(omitted) more \(warnings ? "warning" : "info") annotations omitted")
        }
        return texts
    }
}
