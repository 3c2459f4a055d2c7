package import SeriesModel
package import StorageAPI

extension TSDB: Queryable {
    package func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        var resolution = MatcherResolution()
        // Regular expressions run over a copy of the values: under the gate they would stop all commits.
        for selection in selections {
            resolution.prepare(selection.matchers) { name in
                head.gate.shared { head.postings.labelValues(of: name) }
            }
            try cancellation.check()
        }
        // The view: one hold of the gate for all selections, so that they see the same whole batches.
        let (found, visible, start) = try head.gate.shared {
            let start = head.start
            let found = try selections.map { selection in
                try HeadSelection(selection.matchers, selection.range.clamped(from: start), head, &resolution)
            }
            return (found, blocks.all, start)
        }
        var sets: [any SeriesSet] = []
        for (selection, headPart) in zip(selections, found) {
            var parts: [(block: Block, series: [UInt32])] = []
            for block in visible where block.range.overlaps(selection.range) {
                try cancellation.check()
                let found = try resolution.resolve(selection.matchers, in: block.reader)
                let series = try block.withoutDeleted(found, in: selection.range)
                if !series.isEmpty { parts.append((block, series)) }
            }
            sets.append(
                try MergedSeriesSet(
                    selection: selection, head: headPart, headRange: selection.range.clamped(from: start),
                    blocks: parts))
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

    /// The head, if it has anything in the range, and each block that overlaps it.
    private func eachIndex(in range: TimeRange, _ body: (any LabelIndex) throws -> Void) throws {
        let (postings, visible) = head.gate.shared {
            let isHeadInRange = head.range.map { $0.overlaps(range.clamped(from: head.start)) } ?? false
            return (isHeadInRange ? head.postings : nil, blocks.all)
        }
        if let postings { try body(postings) }
        for block in visible where block.range.overlaps(range) { try body(block.reader) }
    }
}

extension TimeRange {
    /// Without what lies before a time.
    func clamped(from start: Timestamp) -> TimeRange { TimeRange(min: Swift.max(min, start), max: max) }
}
