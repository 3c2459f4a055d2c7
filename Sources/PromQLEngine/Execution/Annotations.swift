import PromQLSyntax
import SeriesModel

/// Warnings and infos of one query, each text once, in the order of their places.
struct Annotations {
    private struct Key: Hashable {
        var isWarning: Bool
        var text: String
    }

    private struct Place {
        var range: SourceRange
        /// Shown behind the text, but without a say in which texts are the same.
        var detail: String
    }

    private static let shownMax = 10
    private var places: [Key: Place] = [:]

    mutating func warn(_ text: String, at range: SourceRange) {
        places[Key(isWarning: true, text: text)] = Place(range: range, detail: "")
    }

    mutating func info(_ text: String, detail: String = "", at range: SourceRange) {
        places[Key(isWarning: false, text: text)] = Place(range: range, detail: detail)
    }

    func texts(in query: [UInt8]) -> (warnings: [String], infos: [String]) {
        (shown(warnings: true, query), shown(warnings: false, query))
    }

    private func shown(warnings: Bool, _ query: [UInt8]) -> [String] {
        let kind = warnings ? "warning" : "info"
        let sorted = places.filter { $0.key.isWarning == warnings }
            .sorted { ($0.value.range.start, $0.key.text) < ($1.value.range.start, $1.key.text) }
        var texts = sorted.prefix(Annotations.shownMax).map { key, place in
            let position = SourcePosition(offset: place.range.start, in: query)
            return "PromQL \(kind): \(key.text)\(place.detail) (\(position))"
        }
        let omitted = sorted.count - texts.count
        if omitted > 0 { texts.append("\(omitted) more \(kind) annotations omitted") }
        return texts
    }
}
