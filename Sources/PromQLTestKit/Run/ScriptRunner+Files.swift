import Foundation

extension ScriptRunner {
    /// Runs script files one after the other; prints each failure, and at the end `N passed, N failed`.
    /// A file that cannot be read or parsed counts as failed, each of its evaluations, at least one.
    package static func run(
        files paths: [String], print: @Sendable (String) -> Void
    ) async -> (passed: Int, failed: Int) {
        let runner = ScriptRunner()
        var total = ScriptReport()
        for path in paths {
            let report = await runner.run(path: path)
            for failure in report.failures { print(failure.description) }
            total.add(report)
        }
        print(total.summary)
        return (total.passed, total.failed)
    }

    private func run(path: String) async -> ScriptReport {
        guard let data = FileManager.default.contents(atPath: path) else {
            return ScriptRunner.unreadable(path, "no such file, or it cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            return ScriptRunner.unreadable(path, "the file is not UTF-8")
        }
        return await run(text, file: path)
    }

    private static func unreadable(_ path: String, _ reason: String) -> ScriptReport {
        var report = ScriptReport()
        report.failed = 1
        report.failures = [
            ScriptFailure(file: path, line: 1, query: "the file", expected: "a readable script", got: reason)
        ]
        return report
    }
}
