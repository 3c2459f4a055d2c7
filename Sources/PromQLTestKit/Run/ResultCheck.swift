import PromQLEngine
import SeriesModel

/// What was wanted and what came, in words.
struct Mismatch: Error {
    var expected: String
    var got: String
}

/// Holds a result against what a script expects.
struct ResultCheck {
    let expectation: TestScript.ResultExpectation
    let time: TestScript.Evaluation.Time
    let isOrdered: Bool

    init(_ evaluation: TestScript.Evaluation) {
        expectation = evaluation.result
        time = evaluation.time
        isOrdered = evaluation.isOrdered
    }

    func check(_ value: QueryValue) throws(Mismatch) {
        switch value {
        case .scalar(_, let number): try checkScalar(number)
        case .string(_, let text): try checkString(text)
        case .vector(let samples):
            try refuseOtherKinds("a vector")
            if expectation.rangeVector != nil { throw Mismatch(expected: "a range vector", got: "a vector") }
            try checkVector(samples)
        case .matrix(let series):
            try refuseOtherKinds("a matrix")
            if isOrdered { throw Mismatch(expected: "an instant vector in the listed order", got: "a matrix") }
            if case .instant = time, expectation.rangeVector == nil {
                throw Mismatch(expected: "a vector", got: "a range vector")
            }
            try checkMatrix(series)
        }
    }

    private func checkString(_ text: String) throws(Mismatch) {
        let got = "string " + GoQuote.quote(text)
        if expectation.scalar != nil || !expectation.series.isEmpty { throw Mismatch(expected: otherKind, got: got) }
        let wanted = expectation.string ?? ""
        if !wanted.utf8.elementsEqual(text.utf8) {
            throw Mismatch(expected: "string " + GoQuote.quote(wanted), got: got)
        }
    }

    private func checkScalar(_ number: Double) throws(Mismatch) {
        let got = "scalar " + NumberText.fixed(number)
        guard let wanted = expectation.scalar else { throw Mismatch(expected: otherKind, got: got) }
        if !NearEquality.holds(wanted, number) {
            throw Mismatch(expected: "scalar " + NumberText.fixed(wanted), got: got)
        }
    }

    private var otherKind: String {
        if expectation.string != nil { return "a string" }
        if let scalar = expectation.scalar { return "scalar " + NumberText.fixed(scalar) }
        return expectation.series.isEmpty ? "an empty result" : "series"
    }

    private func refuseOtherKinds(_ got: String) throws(Mismatch) {
        if let scalar = expectation.scalar {
            throw Mismatch(expected: "scalar " + NumberText.fixed(scalar), got: got)
        }
        if let string = expectation.string {
            throw Mismatch(expected: "string " + GoQuote.quote(string), got: got)
        }
    }

    // MARK: Vectors

    private func checkVector(_ samples: [VectorSample]) throws(Mismatch) {
        var seen: Set<LabelSet> = []
        for (position, sample) in samples.enumerated() {
            let value = ResultValue(sample)
            let got = "\(sample.labels.metricNotation) \(value)"
            guard seen.insert(sample.labels).inserted else { throw Mismatch(expected: "each series once", got: got) }
            guard let wanted = expectation.series[sample.labels] else {
                throw Mismatch(expected: "no such series", got: got)
            }
            if isOrdered, wanted.position != position {
                throw Mismatch(
                    expected: "\(sample.labels.metricNotation) as number \(wanted.position + 1)",
                    got: "it as number \(position + 1)")
            }
            guard let wantedValue = wanted.values.first, wantedValue.matches(value) else {
                let text = wanted.values.first?.description ?? "no value"
                throw Mismatch(expected: "\(sample.labels.metricNotation) \(text)", got: got)
            }
        }
        try requireAll(seen)
    }

    private func requireAll(_ seen: Set<LabelSet>) throws(Mismatch) {
        let missing = expectation.series.filter { !seen.contains($0.key) }.min { $0.value.position < $1.value.position }
        guard let missing else { return }
        let values = missing.value.values.map(\.description).joined(separator: " ")
        throw Mismatch(expected: "\(missing.key.metricNotation) \(values)", got: "no such series")
    }

    // MARK: Matrices

    private func checkMatrix(_ series: [MatrixSeries]) throws(Mismatch) {
        try ResultCheck.requireSorted(series)
        var seen: Set<LabelSet> = []
        for one in series {
            let points = ResultValue.points(of: one)
            let got = "\(one.labels.metricNotation) " + ResultCheck.text(points)
            if points.isEmpty { throw Mismatch(expected: "only series that have points", got: got) }
            guard seen.insert(one.labels).inserted else { throw Mismatch(expected: "each series once", got: got) }
            guard let wanted = expectation.series[one.labels] else {
                throw Mismatch(expected: "no such series", got: got)
            }
            let wantedPoints = try self.wantedPoints(wanted, one.labels)
            let agrees =
                wantedPoints.count == points.count
                && zip(wantedPoints, points).allSatisfy { $0.time == $1.time && $0.value.matches($1.value) }
            if !agrees {
                let text = wantedPoints.map { "\($0.value)@\($0.time)" }.joined(separator: " ")
                throw Mismatch(expected: "\(one.labels.metricNotation) " + text, got: got)
            }
        }
        try requireAll(seen)
    }

    /// Strictly ascending labels, as range results always come.
    static func requireSorted(_ series: [MatrixSeries]) throws(Mismatch) {
        for (before, after) in zip(series, series.dropFirst()) where !(before.labels < after.labels) {
            throw Mismatch(
                expected: "series sorted by labels",
                got: "\(before.labels.metricNotation) before \(after.labels.metricNotation)")
        }
    }

    private func wantedPoints(
        _ wanted: TestScript.ExpectedSeries, _ labels: LabelSet
    ) throws(Mismatch) -> [(time: Timestamp, value: ScriptValue)] {
        let (start, end, step) = grid
        var points: [(time: Timestamp, value: ScriptValue)] = []
        var time = start
        for (index, value) in wanted.values.enumerated() {
            if time > end {
                throw Mismatch(
                    expected: "\(wanted.values.count) points of \(labels.metricNotation)",
                    got: "a time range that has only \(index)")
            }
            if !value.isOmitted { points.append((time, value)) }
            time = time.addingClamped(step)
        }
        return points
    }

    private var grid: (start: Timestamp, end: Timestamp, step: Int64) {
        if let rangeVector = expectation.rangeVector { return rangeVector }
        switch time {
        case .instant(let at): return (at, at, 0)
        case .range(let start, let end, let step): return (start, end, step)
        }
    }

    private static func text(_ points: [(time: Timestamp, value: ResultValue)]) -> String {
        points.map { "\($0.value)@\($0.time)" }.joined(separator: " ")
    }
}
