import PromQLSyntax
import SeriesModel

/// Warnings and infos of one query, each text once, in the order of their places.
struct Annotations: Sendable {
    private struct Key: Hashable {
        var isWarning: Bool
        var text: String
    }

    private struct Place {
        var range: SourceRange
        /// Told behind the text, summed up over all places of it; it has no say in which texts are the same.
        var forced: ClassicBuckets.Monotonicity?
    }

    private static let shownMax = 10
    private var places: [Key: Place] = [:]

    mutating func warn(_ text: String, at range: SourceRange) {
        note(Key(isWarning: true, text: text), Place(range: range))
    }

    mutating func info(_ text: String, forced: ClassicBuckets.Monotonicity? = nil, at range: SourceRange) {
        note(Key(isWarning: false, text: text), Place(range: range, forced: forced))
    }

    /// Upstream shows the place that was noted last. Here operands are evaluated in any order and on several threads:
    /// the last place in the text stands for it.
    private mutating func note(_ key: Key, _ place: Place) {
        var last = place
        if let known = places[key] {
            if known.range.start > place.range.start { last.range = known.range }
            if let forced = known.forced { last.forced = place.forced.map { forced.union($0) } ?? forced }
        }
        places[key] = last
    }

    /// Takes over what another thread has noted.
    mutating func merge(_ other: Annotations) {
        for (key, place) in other.places { note(key, place) }
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
            return "PromQL \(kind): \(key.text)\(place.forced?.detail ?? "") (\(position))"
        }
        let omitted = sorted.count - texts.count
        if omitted > 0 { texts.append("\(omitted) more \(kind) annotations omitted") }
        return texts
    }
}
