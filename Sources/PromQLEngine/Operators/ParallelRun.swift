import OwnThreads
import StorageAPI

/// A pipeline over many series, split into runs that several threads take one after the other. The runs are handed out
/// in order, and their series come out in order, so the answer is the same whatever the number of threads.
final class ParallelRun: Sendable {
    struct Output: Sendable {
        /// With their places in the order wanted.
        var series: [(series: VectorSeries, position: Int)]
        var report: WorkReport
    }

    private struct State {
        /// The next run to be taken.
        var next = 0
        /// Runs below have been used up.
        var consumed = 0
        var outputs: [Int: Result<Output, any Error>] = [:]
        var isStopped = false
    }

    /// Runs that may be done ahead of those who use them: bounds the memory.
    private static let aheadMax = 16
    private let runLength: Int
    private let seriesCount: Int
    private let state = Monitor(State())
    private let pipeline: SeriesPipeline
    private let sets: [any SeriesSet]
    private let grid: Grid
    private let order: [Int32]?
    private let makeContext: @Sendable () -> EvaluationContext

    init(
        _ pipeline: SeriesPipeline, _ sets: [any SeriesSet], _ grid: Grid, _ order: [Int32]?, seriesCount: Int,
        runLength: Int, makeContext: @escaping @Sendable () -> EvaluationContext
    ) {
        self.pipeline = pipeline
        self.sets = sets
        self.grid = grid
        self.order = order
        self.seriesCount = seriesCount
        self.runLength = runLength
        self.makeContext = makeContext
    }

    private var runCount: Int { (seriesCount + runLength - 1) / runLength }

    /// Works until nothing is left to be taken, or `isWanted` elsewhere.
    func help(until isWanted: () -> Bool) {
        let context = makeContext()
        guard var worker = PipelineWorker(pipeline, sets, grid, context) else { return }
        while let run = takeNext() {
            finish(run, compute(run, &worker, context))
            if isWanted() { break }
        }
        worker.finish()
    }

    /// Uses up all series, working itself where the next ones are not there yet.
    func consume(_ context: EvaluationContext, _ body: (VectorSeries, Int) throws -> Void) throws {
        defer { state.change { $0.isStopped = true } }
        let own = makeContext()
        guard var worker = PipelineWorker(pipeline, sets, grid, own) else { return }
        for run in 0..<runCount {
            // The time is that of the operators in the run.
            let outer = context.profile?.enter(nil)
            let output = try output(of: run, &worker, own)
            if let profile = context.profile { profile.enter(outer) }
            context.merge(output.report)
            for (series, position) in output.series {
                context.release(series)
                try body(series, position)
            }
            state.change { $0.consumed = run + 1 }
        }
        worker.finish()
    }

    private enum Turn {
        case ready(Result<Output, any Error>)
        case compute(Int)
    }

    private func output(
        of run: Int, _ worker: inout PipelineWorker, _ context: EvaluationContext
    ) throws -> Output {
        while true {
            let turn = state.wait { state -> Turn? in
                if let output = state.outputs.removeValue(forKey: run) { return .ready(output) }
                guard state.next < min(runCount, run + ParallelRun.aheadMax) else { return nil }
                state.next += 1
                return .compute(state.next - 1)
            }
            switch turn {
            case .ready(let output): return try output.get()
            case .compute(let next):
                let output = compute(next, &worker, context)
                if next == run { return try output.get() }
                finish(next, output)
            }
        }
    }

    /// Waits while enough is done ahead; nil at the end.
    private func takeNext() -> Int? {
        state.wait { state -> Int?? in
            if state.isStopped || state.next >= runCount { return .some(nil) }
            guard state.next < state.consumed + ParallelRun.aheadMax else { return nil }
            state.next += 1
            return .some(state.next - 1)
        }
    }

    private func finish(_ run: Int, _ output: Result<Output, any Error>) {
        state.change { $0.outputs[run] = output }
    }

    private func compute(
        _ run: Int, _ worker: inout PipelineWorker, _ context: EvaluationContext
    ) -> Result<Output, any Error> {
        do {
            var series: [(series: VectorSeries, position: Int)] = []
            for position in run * runLength..<min(seriesCount, (run + 1) * runLength) {
                let index = order.map { Int($0[position]) } ?? position
                guard let one = try worker.series(index, check: { (_, _) throws(QueryError) in }) else { continue }
                try context.hold(one)
                series.append((one, position))
            }
            return .success(Output(series: series, report: context.takeReport()))
        } catch {
            return .failure(error)
        }
    }
}
