import SeriesModel

/// What to do where the catalog and the block directories do not say the same: after a crash between two steps of a
/// replacement, after somebody put a directory there or took one away, after the catalog was lost.
///
/// A pure decision over what was found; the caller does it, in this order: one transaction that enters `adopted` and
/// strikes out `missing` and `leftovers`, then the directories of `leftovers` are deleted and `unfinished` set aside.
struct BlockReconciliation: Sendable, Equatable {
    /// To be served, those adopted included, in the order of their start.
    private(set) var served: [BlockRecord] = []
    /// Complete on disk and not in the catalog: restored, backfilled, or cut just before a crash.
    private(set) var adopted: [BlockRecord] = []
    /// In the catalog and not on disk (or unreadable there): to be struck out, and reported.
    private(set) var missing: [BlockRecord] = []
    /// On disk, and merged into a block that is served: to be deleted.
    private(set) var leftovers: [BlockRecord] = []
    /// A merge that was not entered, whose parents are all there still: to be set aside.
    private(set) var unfinished: [BlockRecord] = []

    /// - Parameters:
    ///   - rows: what the catalog says.
    ///   - found: what the footers of the readable directories say.
    init(rows: [BlockRecord], found: [BlockRecord]) {
        let known = Set(rows.map(\.identifier))
        let present = Set(found.map(\.identifier))
        missing = rows.filter { !present.contains($0.identifier) }
        var live: [BlockRecord] = found.filter { known.contains($0.identifier) }
        // From the lowest level up: what is adopted on one level counts as a parent on the next.
        let unknown = found.filter { !known.contains($0.identifier) }
            .sorted { ($0.level, $0.identifier) < ($1.level, $1.identifier) }
        // Parents of a block that the catalog knows are not adopted again.
        let replaced = Set(live.flatMap(\.parents))
        for block in unknown {
            if replaced.contains(block.identifier) {
                leftovers.append(block)
            } else if !block.parents.isEmpty, block.parents.allSatisfy(present.contains) {
                unfinished.append(block)
            } else {
                adopted.append(block)
            }
        }
        live += adopted
        let mergedAway = Set(live.flatMap(\.parents))
        leftovers += live.filter { mergedAway.contains($0.identifier) }
        adopted.removeAll { mergedAway.contains($0.identifier) }
        served = live.filter { !mergedAway.contains($0.identifier) }.sorted(by: BlockReconciliation.precedes)
        leftovers.sort(by: BlockReconciliation.precedes)
    }

    private static func precedes(_ a: BlockRecord, _ b: BlockRecord) -> Bool {
        (a.range.min, a.identifier) < (b.range.min, b.identifier)
    }
}
