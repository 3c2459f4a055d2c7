package import SeriesModel

/// Stands for a label set where sets of many blocks are compared: its stable hash, which is also the order of series, and
/// a second hash whose seed no sender of labels knows. Two sets with the same fingerprint are taken for the same.
package struct SeriesFingerprint: Hashable, Sendable {
    package let hash: UInt64
    private let check: UInt64

    package static let unknown = SeriesFingerprint(hash: 0, check: 0)

    private static let seed = UInt64.random(in: 1 ... .max)

    private init(hash: UInt64, check: UInt64) {
        self.hash = hash
        self.check = check
    }

    package init(_ labels: LabelSet) { self.init(labels, hash: labels.stableHash) }

    /// - Parameter hash: the labels' stable hash, where it is known already.
    package init(_ labels: LabelSet, hash: UInt64) {
        self.hash = hash
        check = labels.packed.withUnsafeBytes { StableHash.hash($0, seed: SeriesFingerprint.seed) } | 1
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
