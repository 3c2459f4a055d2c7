/// Why a chunk could not be decoded. Its bytes had the right checksum or come from outside: either way nothing of the
/// chunk is used.
package enum ChunkError: Error, Sendable, Hashable {
    /// The bytes end before the declared number of samples.
    case truncated
    /// A field that no encoder writes, at about this bit.
    case malformed(bit: Int)
    /// Timestamps that do not ascend, at this sample.
    case notAscending(sample: Int)
}

extension ChunkError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "chunk ends early"
        case .malformed(let bit): "malformed chunk at bit \(bit)"
        case .notAscending(let sample): "timestamps do not ascend at sample \(sample)"
        }
    }
}
