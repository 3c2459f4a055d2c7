import PromQLSyntax
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import PromQLEngine

/// Functions that carry state from window to window give exactly what they give for each window by itself.
@Suite struct SlidingFunctionTests {
    private static let functions = FunctionTable.all.filter { $0.series != nil }.map(\.name)

    @Test("most range functions of floats slide")
    func slidingFunctions() {
        #expect(SlidingFunctionTests.functions.count >= 17)
    }

    @Test("a sliding function gives at each step what its kernel gives for the window", arguments: functions)
    func slidingEqualsWindowed(name: String) throws {
        let function = try #require(FunctionTable.named(name))
        guard case .window(let kernel, _) = function.kernel, let series = function.series else { return }
        for seed: UInt64 in 1...40 {
            var random = SeededRandom(seed: seed)
            let (times, values) = samples(&random)
            let grid = Grid(start: 0, step: Int64.random(in: 1...90_000, using: &random), count: 60)
            let range = self.range(width: Int64.random(in: 1...400_000, using: &random))
            var call = WindowCall(
                function: name, range: range, parameters: [], argumentRanges: [],
                context: EvaluationContext(
                    options: EngineOptions(), query: [],
                    budget: QueryBudget(
                        maxSamples: .max, maxMemory: .max, cancellation: .init(), deadline: .max),
                    lookbackDelta: 300_000, profile: nil))
            var expected = Column(count: grid.count)
            var found = Column(count: grid.count)
            var tables = WindowTables(range, grid, hasStretches: function.needsStretches)
            try times.withUnsafeBufferPointer { times in
                try values.withUnsafeBufferPointer { values in
                    var edges = WindowEdges()
                    for step in 0..<grid.count {
                        let end = range.reference(grid.time(step))
                        edges.advance(times, start: end - range.width, end: end)
                        guard edges.count > 0 else { continue }
                        let window = Window(
                            times: times, values: values, low: edges.low, high: edges.high,
                            start: end - range.width, end: end, step: step, evaluationTime: grid.time(step))
                        if let value = try kernel(window, &call) { expected.set(step, value) }
                    }
                    tables.with(times) { table in
                        table.lows.withUnsafeBufferPointer { lows in
                            table.highs.withUnsafeBufferPointer { highs in
                                table.stretches.withUnsafeBufferPointer { stretches in
                                    series(
                                        SeriesWindows(
                                            times: times, values: values, lows: lows, highs: highs,
                                            stretches: stretches, width: range.width), &found)
                                }
                            }
                        }
                    }
                }
            }
            #expect(found.present == expected.present, "\(name) seed \(seed)")
            expected.present.forEach { step in
                let (a, b) = (expected.values[step], found.values[step])
                #expect(a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN), "\(name) seed \(seed) step \(step)")
            }
        }
    }

    private func range(width: Int64) -> RangePlan {
        let selector = SelectorPlan(
            id: 0, selection: 0, width: width, offset: 0, at: nil, matchers: [], rangeExtension: .none,
            source: .init(0, 0))
        return RangePlan(id: 1, source: .selector(selector), width: width, offset: 0, at: nil, range: .init(0, 0))
    }

    /// With gaps, resets, repetitions, zeros of both signs, infinities and NaN.
    private func samples(_ random: inout SeededRandom) -> ([Timestamp], [Double]) {
        var times: [Timestamp] = []
        var values: [Double] = []
        var time: Int64 = Int64.random(in: -300_000...0, using: &random)
        var value = 0.0
        let hasSpecials = Bool.random(using: &random)
        for _ in 0..<Int.random(in: 0...150, using: &random) {
            time += Int.random(in: 0..<10, using: &random) == 0 ? 200_000 : Int64.random(in: 1...30_000, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0: value = 0
            case 1: value = -0.0
            case 2 where hasSpecials: value = .nan
            case 3 where hasSpecials: value = .infinity
            case 4 where hasSpecials: value = -.infinity
            case 5 where hasSpecials: value = 1.7e308
            case 6: break
            default: value = (value.isFinite ? value : 0) + Double.random(in: -1...3, using: &random)
            }
            times.append(time)
            values.append(value)
        }
        return (times, values)
    }
}
