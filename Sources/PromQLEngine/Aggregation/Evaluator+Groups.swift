import PromQLSyntax
import SeriesModel
import StorageAPI

/// What takes the members of groups.
protocol GroupSink {
    /// - Parameter group: a number from 0 on, in the order in which groups are finished.
    mutating func add(_ series: VectorSeries, group: Int, labels: LabelSet) throws
    /// No more of the group will come. Called once for each group, in order.
    mutating func finish(group: Int) throws
}

extension Evaluator {
    /// Gives an aggregation's operand to a sink, group by group where labels alone tell the groups: then only one group
    /// is in memory at a time. Else the groups come interleaved, and end together.
    func eachGroup(_ plan: AggregatePlan, _ grid: Grid, _ sink: inout some GroupSink) throws {
        let key = GroupKey(plan)
        let pipeline = try pipeline(plan.operand, grid)
        guard let selector = pipeline.selector else {
            return try eachInterleaved(plan.operand, key, grid, &sink)
        }
        let order = GroupOrder(
            sets[selector.selection], key, dropsName: pipeline.dropsName(context.options))
        try context.hold(0, bytes: order.byteCount)
        defer { context.release(0, bytes: order.byteCount) }
        // As `vector` does it for a node.
        let profile = context.profile
        let outer = profile?.enter(plan.operand.id)
        defer { if let profile { profile.enter(outer) } }
        var current = 0
        try run(pipeline, grid, order: order.series) { series, position in
            if let profile, let id = plan.operand.id {
                profile.count(id, series: 1, samples: series.column.pointCount)
            }
            let inner = profile?.enter(outer)
            defer { if let profile { profile.enter(inner) } }
            let group = order.group(at: position)
            while current < group {
                try sink.finish(group: current)
                current += 1
            }
            try sink.add(series, group: group, labels: order.labels[group])
        }
        if let profile { profile.enter(outer) }
        while current < order.labels.count {
            try sink.finish(group: current)
            current += 1
        }
    }

    private func eachInterleaved(
        _ operand: PlanNode, _ key: GroupKey, _ grid: Grid, _ sink: inout some GroupSink
    ) throws {
        var indexes: [LabelSet: Int] = [:]
        try vector(operand, grid) { series in
            let labels = key.labels(of: series.labels)
            let group = indexes[labels] ?? indexes.count
            if group == indexes.count { indexes[labels] = group }
            try sink.add(series, group: group, labels: labels)
        }
        for group in 0..<indexes.count { try sink.finish(group: group) }
    }
}

/// The series of a selection, ordered so that those of one group follow each other, each group in series order.
struct GroupOrder {
    /// Of each group.
    let labels: [LabelSet]
    /// Indexes into the selection.
    let series: [Int32]
    /// Where in `series` each group ends.
    private let ends: [Int]

    init(_ found: any SeriesSet, _ key: GroupKey, dropsName: Bool) {
        var indexes: [LabelSet: Int] = [:]
        var labels: [LabelSet] = []
        var counts: [Int] = []
        var groups: [Int32] = []
        groups.reserveCapacity(found.count)
        for index in 0..<found.count {
            var own = found.labels(at: index)
            if dropsName, key.namesIdentity { own = MetricIdentity.dropped(own) }
            let group = key.labels(of: own)
            let number: Int
            if let known = indexes[group] {
                number = known
            } else {
                number = labels.count
                indexes[group] = number
                labels.append(group)
                counts.append(0)
            }
            counts[number] += 1
            groups.append(Int32(truncatingIfNeeded: number))
        }
        // By their own hash, as series are: which group is met first depends on series that may have no sample at all,
        // and a sum over the groups must not.
        let hashes = labels.map(\.stableHash)
        let order = labels.indices.sorted {
            hashes[$0] != hashes[$1] ? hashes[$0] < hashes[$1] : labels[$0] < labels[$1]
        }
        var next = [Int](repeating: 0, count: labels.count)
        var ends: [Int] = []
        var end = 0
        for group in order {
            next[group] = end
            end += counts[group]
            ends.append(end)
        }
        var series = [Int32](repeating: 0, count: groups.count)
        for (index, group) in groups.enumerated() {
            series[next[Int(group)]] = Int32(truncatingIfNeeded: index)
            next[Int(group)] += 1
        }
        self.labels = order.map { labels[$0] }
        self.series = series
        self.ends = ends
    }

    var byteCount: Int { series.count * 4 + labels.reduce(0) { $0 &+ $1.packed.count &+ 16 } }

    /// The group of a position in `series`.
    func group(at position: Int) -> Int {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] > position { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
