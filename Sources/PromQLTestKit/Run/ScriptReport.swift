/// An expectation that was not met.
package struct ScriptFailure: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// From 1.
    package var line: Int
    /// As it was evaluated.
    package var query: String
    package var expected: String
    package var got: String

    package var description: String {
        "\(file):\(line): \(query)\n    expected \(expected)\n    got      \(got)"
    }
}

/// What became of a script.
package struct ScriptReport: Sendable {
    package var passed = 0
    package var failed = 0
    package var failures: [ScriptFailure] = []

    package init() {}

    package mutating func add(_ other: ScriptReport) {
        passed += other.passed
        failed += other.failed
        failures += other.failures
    }

    package var summary: String { "\(passed) passed, \(failed) failed" }
}
