package import SeriesModel

/// Chunks of Prometheus 3 whose samples may have start timestamps: they are read, not written. The numbers are
/// upstream's, behind those of `ChunkEncoding`.
package enum StartTimeEncoding: UInt8, Sendable, CaseIterable {
    /// Floats: one control code for timestamp and value, stale markers in it.
    case xor = 4
    case histogram = 5
    case floatHistogram = 6
}

extension StartTimeEncoding {
    /// Appends the chunk's samples within `range` to the buffer, with their start timestamps. Nothing is appended when
    /// it throws.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        switch self {
        case .xor: try XOR2Decoder.decode(chunk, into: &buffer, range: range)
        case .histogram: try HistogramDecoder.decodeWithStarts(chunk, .histogram, into: &buffer, range: range)
        case .floatHistogram:
            try HistogramDecoder.decodeWithStarts(chunk, .floatHistogram, into: &buffer, range: range)
        }
    }
}
