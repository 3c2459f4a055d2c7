package import TestSupport

/// Something of ours that takes any bytes, and must neither trap, nor hang, nor take all memory.
///
/// A new target is a value like these and a row in `all`: the runner, its watchdog, the kept failures and their replay
/// in the tests know nothing of what a target does.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Inputs that mean something: what is mutated.
    package let seeds: @Sendable () -> [[UInt8]]
    /// What inputs are made of: for soup, and to put into seeds.
    package let words: [String]
    /// A new input that means something; nil for none.
    package let generate: @Sendable (inout SeededRandom) -> [UInt8]?
    /// Makes what runs the inputs, one after the other. It says whether an input was taken rather than refused, and
    /// throws a `FuzzFinding` where one broke a promise. What happens depends on the input alone.
    package let makeRun: @Sendable () throws -> @Sendable ([UInt8]) async throws -> Bool
    /// What an input means beside its bytes, for whoever looks into a failure.
    package var explain: @Sendable ([UInt8]) -> String = { _ in "" }

    package static let all: [FuzzTarget] = [
        .parser, .evaluator, .text, .openMetrics, .protobuf, .remoteWrite, .relabel, .config, .response,
    ]

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// What an input did that none should.
package struct FuzzFinding: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
