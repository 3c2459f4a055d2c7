package import PromQLEngine
import SelfMetrics
import SeriesModel

/// Runs scripts of the PromQL test language against the engine over a store in memory, with the settings that such
/// scripts assume. Each instant query is also checked as a range query, and pinned with `@` at other times.
///
/// One script at a time: the runner has one store.
package final class ScriptRunner: Sendable {
    private let store = MemoryStore()
    private let engine: QueryEngine

    package init() {
        engine = QueryEngine(storage: store, options: ScriptRunner.engineOptions, metrics: MetricsRegistry())
    }

    /// The settings that scripts assume.
    package static let engineOptions: EngineOptions = {
        var options = EngineOptions()
        options.lookbackDelta = 5 * 60_000
        options.timeout = 100_000
        options.maxSamples = 10_000
        options.defaultSubqueryStep = 60_000
        options.enablesExperimentalFunctions = true
        options.enablesDelayedNameRemoval = true
        options.enablesExtendedRangeSelectors = true
        options.enablesFillModifiers = true
        options.usesStartTimestamps = true
        return options
    }()

    /// - Parameter file: the name that failures carry.
    package func run(_ text: String, file: String) async -> ScriptReport {
        let script: TestScript
        do throws(TestScript.SyntaxError) {
            script = try TestScript(text)
        } catch {
            return ScriptRunner.unusable(text, file: file, error)
        }
        store.removeAll()
        var report = ScriptReport()
        for (index, command) in script.commands.enumerated() {
            switch command {
            case .clear: store.removeAll()
            case .load(let load):
                do throws(MemoryStore.AppendError) {
                    try load.append(to: store)
                } catch {
                    let rest = script.commands[index...].count { $0.isEvaluation }
                    report.failed += max(1, rest)
                    report.failures.append(
                        ScriptFailure(
                            file: file, line: load.line, query: "load, and the \(rest) evaluations after it",
                            expected: "the data to be taken", got: error.description))
                    return report
                }
            case .evaluate(let evaluation):
                do throws(EvaluationFailure) {
                    try await EvaluationRun(engine: engine, evaluation: evaluation).run()
                    report.passed += 1
                } catch {
                    report.failed += 1
                    report.failures.append(
                        ScriptFailure(
                            file: file, line: evaluation.line, query: error.query, expected: error.expected,
                            got: error.got))
                }
            }
        }
        return report
    }

    /// The report of a text that cannot be run: each of its evaluations has failed.
    private static func unusable(_ text: String, file: String, _ error: TestScript.SyntaxError) -> ScriptReport {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
        let evaluations = lines.count { line in
            ScriptParser.trimmed(String(Substring(line))).lowercased().hasPrefix("eval")
        }
        var report = ScriptReport()
        report.failed = max(1, evaluations)
        report.failures = [
            ScriptFailure(
                file: file, line: error.line, query: "the file cannot be used, its \(evaluations) evaluations fail",
                expected: "a sound script", got: error.message)
        ]
        return report
    }
}

extension TestScript.Command {
    var isEvaluation: Bool {
        if case .evaluate = self { return true }
        return false
    }
}
