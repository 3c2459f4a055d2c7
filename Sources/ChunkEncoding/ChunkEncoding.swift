/// How the samples of a chunk are written. The numbers are upstream's (`prometheus/tsdb/chunkenc`) and stand in files.
package enum ChunkEncoding: UInt8, Sendable, CaseIterable {
    /// Floats: delta-of-delta timestamps, XOR values.
    case xor = 1
}
