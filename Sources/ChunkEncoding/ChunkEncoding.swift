package import SeriesModel

/// How the samples of a chunk are written. The numbers are upstream's (`prometheus/tsdb/chunkenc`) and stand in files.
package enum ChunkEncoding: UInt8, Sendable, CaseIterable {
    /// Floats: delta-of-delta timestamps, XOR values.
    case xor = 1
    /// Native histograms whose counts are whole numbers: delta-of-delta counts.
    case histogram = 2
    /// Native histograms of any counts: XOR counts.
    case floatHistogram = 3
}

extension ChunkEncoding {
    /// Appends the chunk's samples within `range` to the buffer. Nothing is appended when it throws.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        switch self {
        case .xor: try XORDecoder.decode(chunk, into: &buffer, range: range)
        case .histogram, .floatHistogram:
            try HistogramDecoder.decode(chunk, self, into: &buffer, range: range)
        }
    }

    /// As `decode(_:into:range:)`. - Parameter chunk: `XORDecoder.padding` more bytes behind its end can be read.
    package func decode(
        padded chunk: UnsafeRawBufferPointer, into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        switch self {
        case .xor: try XORDecoder.decode(padded: chunk, into: &buffer, range: range)
        case .histogram, .floatHistogram:
            try HistogramDecoder.decode(chunk, self, into: &buffer, range: range)
        }
    }

    /// Appends the chunk's samples within `range` to the buffer. Nothing is appended when it throws.
    package func decode(
        _ chunk: [UInt8], into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        let failure = chunk.withUnsafeBytes { bytes -> ChunkError? in
            do throws(ChunkError) {
                try decode(bytes, into: &buffer, range: range)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}
