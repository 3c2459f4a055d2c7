package import PromQLSyntax
package import SelfMetrics
package import SeriesModel
package import StorageAPI
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Answers PromQL over a `Queryable`. Parsing, planning and evaluation run on threads of the engine's own.
///
/// A tour: the text is parsed (`PromQLSyntax`), turned into a plan (`Plan/`), whose selectors take one view of the
/// store together; then the plan is walked (`Operators/`), series by series over all steps at once, folding into
/// groups where it aggregates (`Aggregation/`).
package final class QueryEngine: Sendable {
    private let startOptions: EngineOptions
    private let subqueryStep: Atomic<Int64>
    private let storage: any Queryable
    private let observer: (any QueryObserver)?
    private let pool: QueryPool
    private let metrics: QueryMetrics

    package init(
        storage: any Queryable, options: EngineOptions, metrics: MetricsRegistry,
        observer: (any QueryObserver)? = nil
    ) {
        self.storage = storage
        self.observer = observer
        startOptions = options
        subqueryStep = Atomic(options.defaultSubqueryStep)
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        // One thread more than cores, so that a rule or a small query is not stuck behind as many long ones.
        pool = QueryPool(width: min(max(1, options.maxConcurrency), cores + 1))
        self.metrics = QueryMetrics(metrics, maxConcurrency: options.maxConcurrency)
    }

    /// As they are now: the default step of subqueries follows the configuration.
    package var options: EngineOptions {
        var options = startOptions
        options.defaultSubqueryStep = subqueryStep.load(ordering: .relaxed)
        return options
    }

    /// Sets the resolution of subqueries that name none. Queries under way keep theirs. - Parameter step: ms, > 0.
    package func setDefaultSubqueryStep(_ step: Int64) { subqueryStep.store(max(1, step), ordering: .relaxed) }

    /// How queries are parsed, with the features that are on.
    package var parserOptions: ParserOptions {
        let options = startOptions
        var parser = ParserOptions()
        parser.bytesMax = options.maxQueryBytes
        parser.enablesExperimentalFunctions = options.enablesExperimentalFunctions
        parser.enablesExtendedRangeSelectors = options.enablesExtendedRangeSelectors
        parser.enablesFillModifiers = options.enablesFillModifiers
        return parser
    }

    /// Evaluates at one time.
    /// - Throws: `QueryError`. Cancelling the task stops the evaluation.
    package func instant(
        _ query: String, at time: Timestamp, options: QueryOptions = QueryOptions()
    ) async throws(QueryError) -> QueryResult {
        let record = QueryRecord(text: query, start: time, end: time, step: 0, origin: options.origin)
        return try await run(record, options) { [self] cancellation, deadline, started in
            let bytes = Array(query.utf8)
            let expression = try parse(bytes)
            return try evaluate(
                expression, bytes, Grid(start: time, step: 1, count: 1), isInstant: true, options, cancellation,
                deadline, started)
        }
    }

    /// Evaluates an expression that is parsed already, at one time.
    package func instant(
        _ expression: Expression, text: String, at time: Timestamp, options: QueryOptions = QueryOptions()
    ) async throws(QueryError) -> QueryResult {
        let record = QueryRecord(text: text, start: time, end: time, step: 0, origin: options.origin)
        return try await run(record, options) { [self] cancellation, deadline, started in
            try evaluate(
                expression, Array(text.utf8), Grid(start: time, step: 1, count: 1), isInstant: true, options,
                cancellation, deadline, started)
        }
    }

    /// Evaluates at `start`, `start + step`, … up to `end`. - Parameter step: ms, > 0.
    /// - Throws: `QueryError`. Cancelling the task stops the evaluation.
    package func range(
        _ query: String, from start: Timestamp, to end: Timestamp, step: Int64, options: QueryOptions = QueryOptions()
    ) async throws(QueryError) -> QueryResult {
        let record = QueryRecord(text: query, start: start, end: end, step: step, origin: options.origin)
        return try await run(record, options) { [self] cancellation, deadline, started in
            let bytes = Array(query.utf8)
            let expression = try parse(bytes)
            guard expression.valueType == .vector || expression.valueType == .scalar else {
                throw QueryError.parse(
                    "invalid expression type \"\(expression.valueType.documentedName)\" for range query, "
                        + "must be Scalar or instant Vector")
            }
            let grid = try QueryEngine.grid(from: start, to: end, step: step)
            return try evaluate(expression, bytes, grid, isInstant: false, options, cancellation, deadline, started)
        }
    }

    private static func grid(from start: Timestamp, to end: Timestamp, step: Int64) throws -> Grid {
        guard step > 0, end >= start, start > -Grid.timeMax, end < Grid.timeMax else {
            throw QueryError.execution("invalid time range")
        }
        let count = (end - start) / step + 1
        guard count <= Int64(Grid.countMax) else {
            throw QueryError.tooLarge("query processing would load too many samples into memory in query execution")
        }
        return Grid(start: start, step: step, count: Int(count))
    }

    private func parse(_ query: [UInt8]) throws(QueryError) -> Expression {
        do {
            return try Parser.parse(bytes: query, options: parserOptions)
        } catch {
            throw .parse(error.description)
        }
    }
}

// MARK: - Running

extension QueryEngine {
    /// Runs a query on the pool; the caller's task waits without holding a thread.
    private func run(
        _ record: QueryRecord, _ options: QueryOptions,
        _ body: @escaping @Sendable (Cancellation, _ deadline: UInt64, _ started: UInt64) throws -> QueryResult
    ) async throws(QueryError) -> QueryResult {
        let cancellation = Cancellation()
        let submitted = EvaluationContext.monotonicNow()
        let timeout = min(max(0, options.timeout ?? self.options.timeout), self.options.timeout)
        let deadline = submitted &+ UInt64(timeout) &* 1_000_000
        metrics.active.increment()
        defer { metrics.active.decrement() }
        let pending = PendingAnswer()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                pending.wait(continuation)
                let isTaken = pool.submit(options.isRule ? .rule : .query) { [metrics, observer] in
                    guard pending.begin() else { return }
                    let ticket = observer?.queryBegan(record.text)
                    let started = EvaluationContext.monotonicNow()
                    metrics.queueTime.observe(Double(started &- submitted) / 1e9)
                    let outcome = QueryEngine.outcome(cancellation, deadline, started) {
                        var result = try body(cancellation, deadline, started)
                        result.statistics.execQueueTime = Double(started &- submitted) / 1e9
                        let finished = EvaluationContext.monotonicNow()
                        result.statistics.execTotalTime = Double(finished &- submitted) / 1e9
                        return result
                    }
                    if let ticket { observer?.queryEnded(ticket) }
                    pending.answer(outcome)
                }
                // A query that finds no thread in its time is answered without one.
                if !isTaken { pending.abandon(after: timeout, .timeout("query timed out in query queue")) }
            }
        } onCancel: {
            cancellation.cancel()
            pending.abandon(.canceled("query was canceled in query queue"))
        }
        pending.stopTimer()
        tell(record, outcome, seconds: Double(EvaluationContext.monotonicNow() &- submitted) / 1e9)
        return try outcome.get()
    }

    /// Hands a query that is over to the observer. - Parameter seconds: since it was asked.
    private func tell(_ record: QueryRecord, _ outcome: PendingAnswer.Outcome, seconds: Double) {
        guard let observer else { return }
        var record = record
        switch outcome {
        case .success(let result): record.statistics = result.statistics
        case .failure(.parse): return
        case .failure(let error):
            record.error = error
            record.statistics.execTotalTime = seconds
        }
        observer.queryAnswered(record)
    }

    private static func outcome(
        _ cancellation: Cancellation, _ deadline: UInt64, _ started: UInt64, _ body: () throws -> QueryResult
    ) -> PendingAnswer.Outcome {
        if cancellation.isCancelled { return .failure(.canceled("query was canceled in query queue")) }
        if started >= deadline { return .failure(.timeout("query timed out in query queue")) }
        do {
            return .success(try body())
        } catch let error as QueryError {
            return .failure(error)
        } catch is CancellationError {
            return .failure(.canceled("query was canceled in expression evaluation"))
        } catch let error as StorageError {
            return .failure(.storage(error.description))
        } catch {
            return .failure(.storage("\(error)"))
        }
    }

    private func evaluate(
        _ expression: Expression, _ query: [UInt8], _ grid: Grid, isInstant: Bool, _ options: QueryOptions,
        _ cancellation: Cancellation, _ deadline: UInt64, _ started: UInt64
    ) throws -> QueryResult {
        guard grid.start > -Grid.timeMax, grid.end < Grid.timeMax else {
            throw QueryError.execution("time out of range")
        }
        let engineOptions = self.options
        let lookback = options.lookbackDelta.map { max(1, $0) } ?? engineOptions.lookbackDelta
        var planner = Planner(options: engineOptions, lookbackDelta: lookback, grid: grid, isInstant: isInstant)
        let plan = try planner.plan(expression)
        let budget = QueryBudget(
            maxSamples: engineOptions.maxSamples, maxMemory: engineOptions.maxMemory, cancellation: cancellation,
            deadline: deadline)
        let context = EvaluationContext(
            options: engineOptions, query: query, budget: budget, lookbackDelta: lookback,
            profile: options.explains ? PlanProfile(count: plan.nodeCount) : nil)
        let sets = try storage.select(plan.selections, cancellation: cancellation)
        let prepared = EvaluationContext.monotonicNow()
        let evaluator = Evaluator(
            context: context, sets: sets,
            helpers: QueryHelpers(pool: pool, count: max(0, engineOptions.parallelism - 1)))
        let assembly = ResultAssembly(evaluator: evaluator, grid: grid, isInstant: isInstant)
        let value = try assembly.value(of: expression, plan.root)
        let finished = EvaluationContext.monotonicNow()
        var statistics = context.statistics
        statistics.peakSamples = budget.peakSamples
        statistics.queryPreparationTime = Double(prepared &- started) / 1e9
        statistics.innerEvalTime = Double(finished &- prepared) / 1e9
        statistics.evalTotalTime = Double(finished &- started) / 1e9
        metrics.observe(statistics)
        let (warnings, infos) = context.annotations.texts(in: query)
        var result = QueryResult(value: value, warnings: warnings, infos: infos, statistics: statistics)
        if let profile = context.profile {
            profile.enter(nil)
            result.plan = PlanExplanation(query: query, figures: profile.figures).report(plan.root)
        }
        return result
    }
}
