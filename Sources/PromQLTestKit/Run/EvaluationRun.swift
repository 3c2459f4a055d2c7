import PromQLEngine
import PromQLSyntax
import SeriesModel

/// Why an evaluation did not pass.
struct EvaluationFailure: Error {
    /// The query, with how and when it was evaluated.
    var query: String
    var expected: String
    var got: String

    init(_ query: String, _ mismatch: Mismatch) {
        self.query = query
        expected = mismatch.expected
        got = mismatch.got
    }
}

/// Runs one evaluation of a script in all the ways in which it must hold.
struct EvaluationRun {
    let engine: QueryEngine
    let evaluation: TestScript.Evaluation

    func run() async throws(EvaluationFailure) {
        switch evaluation.time {
        case .range(let start, let end, let step):
            let query = evaluation.query
            let shown = "\(query) (from \(start) to \(end) step \(step) ms)"
            let result = await outcome { () async throws(QueryError) in
                try await engine.range(query, from: start, to: end, step: step)
            }
            try told(shown) { () throws(Mismatch) in try checkFirst(result) }
        case .instant(let time):
            try await runInstant(evaluation.query, at: time)
            try await runPinned(time)
        }
    }

    /// The query evaluated at other times with all selectors tied to the one time must give the same.
    private func runPinned(_ time: Timestamp) async throws(EvaluationFailure) {
        guard let pinned = PinnedExpression.pin(evaluation.expression, to: time) else { return }
        let query = pinned.description
        let times = time == 0 ? [-1000, 0, 1000] : [time * -10, 0, time / 5, time, time * 10]
        for other in times { try await runInstant(query, at: other) }
    }

    private func runInstant(_ query: String, at time: Timestamp) async throws(EvaluationFailure) {
        let shown = "\(query) (at \(time) ms)"
        let result = await outcome { () async throws(QueryError) in try await engine.instant(query, at: time) }
        try told(shown) { () throws(Mismatch) in try checkFirst(result) }
        guard case .success(let instant) = result, needsRangeCheck(query) else { return }
        try await runAsRange(query, around: time, isScalar: instant.value.typeName == "scalar")
    }

    /// As a range query, whose middle step must be what the instant query gave.
    private func runAsRange(
        _ query: String, around time: Timestamp, isScalar: Bool
    ) async throws(EvaluationFailure) {
        let shown = "\(query) (as a range query around \(time) ms)"
        let result = await outcome { () async throws(QueryError) in
            try await engine.range(query, from: time - 60_000, to: time + 60_000, step: 60_000)
        }
        try told(shown) { () throws(Mismatch) in
            guard case .matrix(let series) = try EvaluationRun.value(of: result) else {
                throw Mismatch(expected: "a matrix", got: "something else")
            }
            if evaluation.isOrdered { return }
            try ResultCheck.requireSorted(series)
            let middle = series.flatMap { EvaluationRun.points(of: $0, at: time) }
            let check = ResultCheck(evaluation)
            if isScalar {
                guard let only = middle.first, middle.count == 1, only.labels.isEmpty, only.histogram == nil else {
                    throw Mismatch(expected: "one series of numbers without labels", got: "\(middle.count) series")
                }
                try check.check(.scalar(time, only.value))
            } else {
                try check.check(.vector(middle))
            }
        }
    }

    private func needsRangeCheck(_ query: String) -> Bool {
        if evaluation.isOrdered { return true }
        if evaluation.failure != nil || evaluation.result.rangeVector != nil || evaluation.result.string != nil {
            return false
        }
        return !["start()", "end()", "range()", "step()"].contains { query.contains($0) }
    }

    // MARK: Checks

    /// Failure, annotations, then the result.
    private func checkFirst(_ result: Result<QueryResult, QueryError>) throws(Mismatch) {
        if case .failure(let wanted) = evaluation.failure {
            guard case .failure(let error) = result else {
                throw Mismatch(expected: "a failure: \(wanted)", got: "success")
            }
            if !wanted.isMet(by: error.description) {
                throw Mismatch(expected: "a failure: \(wanted)", got: error.description)
            }
            return
        }
        switch result {
        case .failure(let error): throw Mismatch(expected: "success", got: "failure: \(error)")
        case .success(let success):
            try requireKinds(success)
            try AnnotationCheck(kind: "warning", evaluation.warnings).check(success.warnings)
            try AnnotationCheck(kind: "info", evaluation.infos).check(success.infos)
            try ResultCheck(evaluation).check(success.value)
        }
    }

    /// A text that is filed as the other kind would meet, or escape, the wrong expectations.
    private func requireKinds(_ result: QueryResult) throws(Mismatch) {
        if let stray = result.warnings.first(where: { $0.hasPrefix("PromQL info") }) {
            throw Mismatch(expected: "no info among the warnings", got: stray)
        }
        if let stray = result.infos.first(where: { !$0.hasPrefix("PromQL info") && !$0.hasSuffix(" omitted") }) {
            throw Mismatch(expected: "nothing but infos among the infos", got: stray)
        }
    }

    /// The points of a series at exactly one time; more than one is wrong, which the comparison finds.
    private static func points(of series: MatrixSeries, at time: Timestamp) -> [VectorSample] {
        let samples = series.samples
        let floats = samples.timestamps.indices.filter { samples.timestamps[$0] == time }.map {
            VectorSample(labels: series.labels, timestamp: time, value: samples.values[$0])
        }
        let histograms = samples.histogramTimestamps.indices.filter { samples.histogramTimestamps[$0] == time }.map {
            VectorSample(labels: series.labels, timestamp: time, value: 0, histogram: samples.histograms[$0])
        }
        return floats + histograms
    }

    private static func value(of result: Result<QueryResult, QueryError>) throws(Mismatch) -> QueryValue {
        switch result {
        case .success(let success): return success.value
        case .failure(let error): throw Mismatch(expected: "success", got: "failure: \(error)")
        }
    }

    private func told(_ query: String, _ body: () throws(Mismatch) -> Void) throws(EvaluationFailure) {
        do throws(Mismatch) {
            try body()
        } catch {
            throw EvaluationFailure(query, error)
        }
    }

    private func outcome(
        _ body: () async throws(QueryError) -> QueryResult
    ) async -> Result<QueryResult, QueryError> {
        do throws(QueryError) {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
