import SeriesModel
import TestSupport

/// What a store that may die at any moment has promised: which samples a query must answer, and which it may.
struct FaultModel {
    typealias Contents = [LabelSet: [Timestamp: MixedSample]]

    /// What the store is doing: it may be done, or not.
    enum Work {
        case nothing
        /// All of it or none.
        case append([(LabelSet, MixedSample)])
        /// Any part of it.
        case delete(Set<LabelSet>, TimeRange)
    }

    /// What is acknowledged and not deleted.
    private(set) var shown: Contents = [:]
    /// What of that is synced: no loss of power takes it.
    private(set) var safe: Contents = [:]
    /// What the loss of power may leave or bring back.
    private(set) var possible: Contents = [:]
    /// What a deletion that failed may have taken, or may take with the next start.
    private var optional: Contents = [:]
    /// What is older may have gone with the retention. ms
    var horizon: Timestamp = .min

    mutating func append(_ samples: [(LabelSet, MixedSample)]) {
        for (labels, sample) in samples {
            shown[labels, default: [:]][sample.timestamp] = sample
            possible[labels, default: [:]][sample.timestamp] = sample
        }
    }

    mutating func delete(_ series: Set<LabelSet>, _ range: TimeRange) {
        shown = FaultModel.without(shown, series, range)
        safe = FaultModel.without(safe, series, range)
        optional = FaultModel.without(optional, series, range)
    }

    /// A deletion failed: any part of it may be done, now or at the next start.
    mutating func deleteInPart(_ series: Set<LabelSet>, _ range: TimeRange) {
        for labels in series {
            let samples = (shown[labels] ?? [:]).filter { range.contains($0.key) }
            optional[labels, default: [:]].merge(samples) { $1 }
        }
        shown = FaultModel.without(shown, series, range)
        safe = FaultModel.without(safe, series, range)
    }

    /// Everything acknowledged is on the disk.
    mutating func sync() {
        safe = shown
        possible = shown
        for (labels, samples) in optional { possible[labels, default: [:]].merge(samples) { $1 } }
    }

    /// The samples that a query found after something that was allowed to end in more than one way.
    /// - Parameter isSafe: whether they are all on the disk.
    mutating func adopt(_ found: Contents, isSafe: Bool) {
        if isSafe { optional = [:] }
        shown = found
        for (labels, samples) in optional { shown[labels] = shown[labels]?.filter { samples[$0.key] == nil } }
        if isSafe {
            sync()
            return
        }
        for (labels, samples) in found { possible[labels, default: [:]].merge(samples) { $1 } }
        for labels in safe.keys { safe[labels] = safe[labels]?.filter { found[labels]?[$0.key] != nil } }
    }

    static func without(_ contents: Contents, _ series: Set<LabelSet>, _ range: TimeRange) -> Contents {
        var contents = contents
        for labels in series { contents[labels] = contents[labels]?.filter { !range.contains($0.key) } }
        return contents
    }

    // MARK: - Comparing

    /// What is wrong with an answer; nil where nothing is.
    func verdict(_ found: Contents, after work: Work, isPowerLost: Bool) -> String? {
        var must = isPowerLost ? safe : shown
        var may = isPowerLost ? possible : shown
        for (labels, samples) in optional { may[labels, default: [:]].merge(samples) { $1 } }
        switch work {
        case .nothing: break
        case .append(let samples):
            for (labels, sample) in samples { may[labels, default: [:]][sample.timestamp] = sample }
            let news = samples.filter { shown[$0.0]?[$0.1.timestamp] == nil }
            let held = news.filter { found[$0.0]?[$0.1.timestamp] != nil }
            if !held.isEmpty, held.count < news.count { return "\(held.count) of a batch of \(news.count) samples" }
        case .delete(let series, let range): must = FaultModel.without(must, series, range)
        }
        for (labels, samples) in must {
            for (timestamp, sample) in samples where timestamp >= horizon {
                guard let other = found[labels]?[timestamp] else { return "lost: \(labels) \(sample)" }
                if other != sample { return "changed: \(labels) \(sample) to \(other)" }
            }
        }
        for (labels, samples) in found {
            for (timestamp, sample) in samples {
                guard let other = may[labels]?[timestamp] else { return "invented: \(labels) \(sample)" }
                if other != sample { return "changed: \(labels) \(other) to \(sample)" }
            }
        }
        return nil
    }
}

extension TestStore {
    func faultContents() throws -> FaultModel.Contents {
        try mixed().mapValues { samples in
            Dictionary(samples.map { ($0.timestamp, $0) }) { first, second in
                // Twice in one answer is an invention: no sample has this time.
                var twice = second
                twice.timestamp = .max
                return first == twice ? first : twice
            }
        }
    }
}
