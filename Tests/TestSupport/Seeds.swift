import Foundation

/// The seeds of property tests. `make test` runs fixed ones, so that what passes once passes always; with
/// `HEARTH_SEEDS=<count>` each test runs as many fresh ones, with `HEARTH_SEED=<seed>` that one, to see a failure again.
package enum Seeds {
    /// - Parameter count: how many fixed seeds, from 1 on.
    package static func fixed(_ count: Int) -> [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["HEARTH_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        if let count = environment["HEARTH_SEEDS"].flatMap({ Int($0) }), count > 0 {
            return (0..<count).map { _ in UInt64.random(in: 1_000_000...(.max)) }
        }
        return (1...UInt64(max(1, count))).map { $0 }
    }
}
