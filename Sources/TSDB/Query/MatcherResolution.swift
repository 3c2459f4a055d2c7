import HeadMemory
import Regexp
import SeriesModel

/// From matchers to series.
///
/// A matcher that the empty value does not satisfy picks: the union of the postings of the values that match. One that
/// the empty value satisfies leaves out: what has a value that does not match. Series without the label stay.
struct MatcherResolution {
    private var memo = RegexMemo()

    /// The series that satisfy all matchers, ascending.
    mutating func resolve(_ matchers: [LabelMatcher], in index: some LabelIndex) throws -> [UInt32] {
        var picked: [UInt32]?
        // Picking by equality first keeps the sets that follow small.
        for matcher in matchers.filter({ !$0.matchesEmpty }).sorted(by: { $0.kind == .equal && $1.kind != .equal }) {
            let found = try union(of: matcher, in: index) { memo.matches(matcher, $0) }
            picked = picked.map { PostingsList.intersection($0, found) } ?? found
            if picked?.isEmpty ?? false { return [] }
        }
        var result = try picked ?? index.allPostings()
        for matcher in matchers where matcher.matchesEmpty {
            if result.isEmpty { return [] }
            let leftOut = try union(of: matcher, in: index) { !memo.matches(matcher, $0) }
            result = PostingsList.difference(result, leftOut)
        }
        return result
    }

    /// Evaluates regular expressions ahead, outside of any lock.
    mutating func prepare(_ matchers: [LabelMatcher], values: (String) -> [String]) {
        for matcher in matchers where matcher.pattern != nil && matcher.pattern?.literals == nil {
            for value in values(matcher.name) { _ = memo.matches(matcher, value) }
        }
    }

    private func union(
        of matcher: LabelMatcher, in index: some LabelIndex, _ isWanted: (String) -> Bool
    ) throws -> [UInt32] {
        if !matcher.matchesEmpty {
            // Values that can be named are looked up instead of searched for.
            switch matcher.kind {
            case .equal: return try index.postings(name: matcher.name, value: matcher.value)
            case .regex:
                if let literals = matcher.pattern?.literals {
                    var seen: Set<LabelText> = []
                    let distinct = literals.filter { !$0.isEmpty && seen.insert(LabelText($0)).inserted }
                    return PostingsList.union(
                        try distinct.map { try index.postings(name: matcher.name, value: $0) })
                }
            default: break
            }
        }
        var lists: [[UInt32]] = []
        for value in try index.labelValues(of: matcher.name) where isWanted(value) {
            lists.append(try index.postings(name: matcher.name, value: value))
        }
        return PostingsList.union(lists)
    }
}

/// Remembers which values a regular expression matches.
private final class RegexMemo {
    private struct Key: Hashable {
        var pattern: LabelText
        var value: LabelText
    }

    private var answers: [Key: Bool] = [:]

    func matches(_ matcher: LabelMatcher, _ value: String) -> Bool {
        guard let pattern = matcher.pattern, pattern.literals == nil else { return matcher.matches(value) }
        let key = Key(pattern: LabelText(matcher.value), value: LabelText(value))
        let isMatch = answers[key] ?? pattern.matches(value)
        answers[key] = isMatch
        return matcher.kind == .regex ? isMatch : !isMatch
    }
}

/// A text that is equal to another only if all bytes are.
struct LabelText: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (a: LabelText, b: LabelText) -> Bool { a.text.hasSameBytes(as: b.text) }

    func hash(into hasher: inout Hasher) { hasher.combine(bytesOf: text) }
}
