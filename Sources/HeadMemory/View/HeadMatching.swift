import Regexp
package import SeriesModel

/// From the matchers of one selection to the head's series.
///
/// A matcher that the empty value does not satisfy picks: the series of the pairs that match. One that the empty value
/// satisfies leaves out: the series of the pairs of that name that do not match. Series without the label stay.
///
/// Patterns run over the values before the gate is taken, or one query would stop all commits; under the gate only the
/// pairs are looked at that came since.
package struct HeadMatching {
    private let head: Head
    private let matchers: [LabelMatcher]
    /// For each matcher what it says of the pairs of its name; empty where no search is needed.
    private var answers: [[UInt32: Bool]]

    /// Outside of the gate.
    /// - Parameter stay: entered before; keeps the pairs' numbers from being given to others.
    package init(_ matchers: [LabelMatcher], _ head: Head, _ stay: ViewEpochs.Stay) {
        self.head = head
        self.matchers = matchers
        answers = matchers.map { matcher in
            guard HeadMatching.needsSearch(matcher) else { return [:] }
            let candidates = head.gate.shared { head.pairs.pairs(ofName: matcher.name) }
            var answers: [UInt32: Bool] = [:]
            answers.reserveCapacity(candidates.count)
            for pair in candidates { answers[pair] = matcher.matches(head.pairs.value(of: pair)) }
            return answers
        }
        _ = stay
    }

    /// Whether all values of the name have to be looked at.
    private static func needsSearch(_ matcher: LabelMatcher) -> Bool {
        switch matcher.kind {
        case .equal, .notEqual: false
        case .regex, .notRegex: matcher.pattern?.literals == nil
        }
    }

    /// The slots of the series that satisfy all matchers, ascending. Under the gate.
    package func slots() -> [UInt32] {
        var picks: [(pairs: [UInt32], count: Int)] = []
        for (index, matcher) in matchers.enumerated() where !matcher.matchesEmpty {
            let pairs = pairs(of: index, matching: true)
            if pairs.isEmpty { return [] }
            picks.append((pairs, pairs.reduce(0) { $0 + Int(head.pairs[$1].pointee.slots.count) }))
        }
        picks.sort { $0.count < $1.count }
        var slots: [UInt32] = []
        if let first = picks.first {
            slots = union(first.pairs)
        } else {
            head.allSlots.append(to: &slots)
        }
        for pick in picks.dropFirst() where !slots.isEmpty {
            if pick.pairs.count == 1 {
                let only = head.pairs[pick.pairs[0]]
                slots.removeAll { !only.pointee.slots.contains($0) }
            } else {
                slots = PostingsList.intersection(slots, union(pick.pairs))
            }
        }
        for (index, matcher) in matchers.enumerated() where matcher.matchesEmpty && !slots.isEmpty {
            let pairs = pairs(of: index, matching: false)
            if pairs.count == 1 {
                let only = head.pairs[pairs[0]]
                slots.removeAll { only.pointee.slots.contains($0) }
            } else if !pairs.isEmpty {
                slots = PostingsList.difference(slots, union(pairs))
            }
        }
        return slots
    }

    private func union(_ pairs: [UInt32]) -> [UInt32] {
        var slots: [UInt32] = []
        if pairs.count == 1 {
            head.pairs[pairs[0]].pointee.slots.append(to: &slots)
            return slots
        }
        return PostingsList.union(
            pairs.map { pair in
                var slots: [UInt32] = []
                head.pairs[pair].pointee.slots.append(to: &slots)
                return slots
            })
    }

    /// The pairs of a matcher's name that it matches, or those that it does not.
    private func pairs(of index: Int, matching wanted: Bool) -> [UInt32] {
        let matcher = matchers[index]
        if !HeadMatching.needsSearch(matcher) {
            let literals =
                matcher.kind == .regex || matcher.kind == .notRegex
                ? matcher.pattern?.literals ?? [] : [matcher.value]
            // Whether the values that are named are those that match.
            let namesMatching = matcher.kind == .equal || matcher.kind == .regex
            if namesMatching == wanted {
                var numbers: [UInt32] = []
                for value in literals where !value.isEmpty {
                    if let pair = head.pairs.number(name: matcher.name, value: value), !numbers.contains(pair) {
                        numbers.append(pair)
                    }
                }
                return numbers
            }
        }
        let known = answers[index]
        return head.pairs.pairs(ofName: matcher.name).filter { pair in
            (known[pair] ?? matcher.matches(head.pairs.value(of: pair))) == wanted
        }
    }
}
