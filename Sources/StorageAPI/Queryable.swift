package import SeriesModel

/// The reading side of a store: what PromQL knows of storage.
package protocol Queryable: Sendable {
    /// Takes **one consistent view** for all selections of a query: whole batches only, the same for every selection.
    /// Labels are known at once; samples are decoded later, through the returned sets, without locks. A set keeps what
    /// it may still read alive until it is released.
    /// - Returns: one set for each selection, in the order given.
    /// - Throws: `StorageError`; `CancellationError` where `cancellation` was triggered meanwhile.
    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet]

    /// Sorted names of the labels of the series that match any of the matcher lists (all series when there is none)
    /// and may have a sample in the range. The range is honoured to the granularity of blocks.
    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String]

    /// Sorted values of one label, under the same rules.
    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String]

    /// The distinct label sets, in label order, under the same rules.
    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet]
}

/// What one selector of a query wants.
package struct Selection: Sendable {
    /// All must hold.
    package var matchers: [LabelMatcher]
    /// Samples outside are not needed, and are not returned.
    package var range: TimeRange
    package var hints: SelectHints

    package init(matchers: [LabelMatcher], range: TimeRange, hints: SelectHints = SelectHints()) {
        self.matchers = matchers
        self.range = range
        self.hints = hints
    }
}

/// What the engine is going to do with a selection. A store may use it to read less, and may ignore it.
package struct SelectHints: Sendable, Hashable {
    /// The evaluation step, 0 for an instant query. ms
    package var step: Int64 = 0
    /// The range of a range selector, 0 for an instant selector. ms
    package var rangeWidth: Int64 = 0
    /// The function or aggregation applied to the selector, "" for none.
    package var function = ""
    /// The labels the enclosing aggregation groups by, nil for no aggregation.
    package var grouping: [String]?
    /// Whether `grouping` names the labels to keep (`by`) or to drop (`without`).
    package var isGroupingBy = false
    /// Only the newest sample in the range is wanted (an instant selector at one point in time).
    package var wantsNewestOnly = false

    package init() {}
}

/// The series one selection found, in the order of `LabelSet.stableHash` and then of the labels: head and blocks are
/// merged by the same order, so an aggregate adds its series in one order wherever their samples lie.
///
/// Random access: a query may read series from several threads at once, and in any order.
package protocol SeriesSet: Sendable {
    var count: Int { get }

    /// - Precondition: `0 ≤ index < count`
    func labels(at index: Int) -> LabelSet

    /// Appends the series' samples within the selection's range to the buffer, in time order.
    /// - Throws: `StorageError` where what lies on disk is damaged.
    func read(_ index: Int, into buffer: inout SampleBuffer) throws
}
