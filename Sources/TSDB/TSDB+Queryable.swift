import HeadMemory
package import SeriesModel
package import StorageAPI

extension TSDB: Queryable {
    package func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        let stay = head.epochs.enter()
        var matchings: [HeadMatching] = []
        for selection in selections {
            matchings.append(HeadMatching(selection.matchers, head, stay))
            try cancellation.check()
        }
        // The view: one hold of the gate for all selections, so that they see the same whole batches.
        let (captures, visible) = head.gate.shared {
            let view = HeadView(head, stay)
            let captures = zip(selections, matchings).map { selection, matching in
                let isInHead = head.range?.overlaps(selection.range) ?? false
                return HeadSelection.Capture(isInHead ? matching.slots() : [], selection.range, view)
            }
            return (captures, blocks.visible)
        }
        var resolution = MatcherResolution()
        var sets: [any SeriesSet] = []
        for (selection, capture) in zip(selections, captures) {
            var parts: [(block: VisibleBlock, series: [UInt32])] = []
            for block in visible where block.range.overlaps(selection.range) {
                try cancellation.check()
                let series = try reportingDamage {
                    let found = try resolution.resolve(selection.matchers, in: block)
                    return try block.withoutDeleted(found, in: selection.range)
                }
                if !series.isEmpty { parts.append((block, series)) }
            }
            let set = try reportingDamage {
                try MergedSeriesSet(selection: selection, head: HeadSelection(capture), blocks: parts) {
                    [weak self] in self?.reportDamage($0)
                }
            }
            sets.append(set)
        }
        return sets
    }

    package func labelNames(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        var names: Set<LabelText> = []
        if matching.isEmpty {
            try eachIndex(in: range) { names.formUnion(try $0.labelNames().map(LabelText.init)) }
        } else {
            for labels in try series(matching: matching, in: range, cancellation: cancellation) {
                for label in labels { names.insert(LabelText(label.name)) }
            }
        }
        return names.map(\.text).sorted { $0.precedesByBytes($1) }
    }

    package func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        var values: Set<LabelText> = []
        if matching.isEmpty {
            try eachIndex(in: range) { values.formUnion(try $0.labelValues(of: name).map(LabelText.init)) }
        } else {
            var resolution = MatcherResolution()
            try eachIndex(in: range) { index in
                try cancellation.check()
                let matched = PostingsList.union(try matching.map { try resolution.resolve($0, in: index) })
                if matched.isEmpty { return }
                for value in try index.labelValues(of: name) where !values.contains(LabelText(value)) {
                    if PostingsList.overlap(matched, try index.postings(name: name, value: value)) {
                        values.insert(LabelText(value))
                    }
                }
            }
        }
        return values.map(\.text).sorted { $0.precedesByBytes($1) }
    }

    package func series(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [LabelSet] {
        let selections = (matching.isEmpty ? [[]] : matching).map { Selection(matchers: $0, range: range) }
        let sets = try select(selections, cancellation: cancellation)
        if sets.count == 1, let set = sets.first { return (0..<set.count).map { set.labels(at: $0) }.sorted() }
        var found: Set<LabelSet> = []
        for set in sets {
            for index in 0..<set.count { found.insert(set.labels(at: index)) }
        }
        return found.sorted()
    }

    /// From the first to the last ms that head and blocks may hold something of; nil while there is nothing.
    package var timeRange: TimeRange? {
        let ranges = head.gate.shared { [head.range].compactMap { $0 } + blocks.visible.map(\.range) }
        guard let first = ranges.map(\.min).min(), let last = ranges.map(\.max).max() else { return nil }
        return TimeRange(min: first, max: last)
    }

    /// The head, if it has anything in the range, and each block that overlaps it.
    private func eachIndex(in range: TimeRange, _ body: (any LabelIndex) throws -> Void) throws {
        let (isHeadInRange, visible) = head.gate.shared {
            (head.range.map { $0.overlaps(range) } ?? false, blocks.visible)
        }
        if isHeadInRange { try body(HeadIndex(head)) }
        for block in visible where block.range.overlaps(range) { try reportingDamage { try body(block) } }
    }
}
