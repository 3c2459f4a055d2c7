package import ChunkEncoding
package import SeriesModel

/// How the samples of one of Prometheus' chunks are written: those encodings that our own chunks share, and those with
/// start timestamps, which are only read.
package enum PrometheusEncoding: Sendable, Hashable {
    case plain(ChunkEncoding)
    case withStarts(StartTimeEncoding)

    /// - Parameter rawValue: as in files; nil for a number that is no encoding.
    package init?(rawValue: UInt8) {
        if let encoding = ChunkEncoding(rawValue: rawValue) {
            self = .plain(encoding)
        } else if let encoding = StartTimeEncoding(rawValue: rawValue) {
            self = .withStarts(encoding)
        } else {
            return nil
        }
    }

    package var rawValue: UInt8 {
        switch self {
        case .plain(let encoding): encoding.rawValue
        case .withStarts(let encoding): encoding.rawValue
        }
    }
}

/// A chunk with its bytes, on its way out of a block or into one.
package struct PrometheusChunk: Sendable, Hashable {
    package var encoding: PrometheusEncoding
    /// Of its first and last sample. ms
    package var range: TimeRange
    package var bytes: [UInt8]

    package init(encoding: PrometheusEncoding, range: TimeRange, bytes: [UInt8]) {
        self.encoding = encoding
        self.range = range
        self.bytes = bytes
    }

    /// As its header says; 0 where it has none.
    package var sampleCount: Int {
        guard bytes.count >= 2 else { return 0 }
        let count = Int(bytes[0]) << 8 | Int(bytes[1])
        return switch encoding {
        // The two highest bits are flags.
        case .withStarts(.histogram), .withStarts(.floatHistogram): count & 0x3FFF
        case .plain, .withStarts(.xor): count
        }
    }

    /// Appends the samples within the range to the buffer, with their start timestamps where the chunk has them.
    /// Nothing is appended when it throws.
    package func decode(
        into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        let failure = bytes.withUnsafeBytes { bytes -> ChunkError? in
            do throws(ChunkError) {
                switch encoding {
                case .plain(let encoding): try encoding.decode(bytes, into: &buffer, range: range)
                case .withStarts(let encoding): try encoding.decode(bytes, into: &buffer, range: range)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}

/// Where a chunk lies in a block.
package struct PrometheusChunkReference: Sendable, Hashable {
    /// Of its first and last sample. ms
    package var range: TimeRange
    /// The number of the segment, from 0.
    package var segment: UInt32
    /// Of its record in the segment. Bytes.
    package var offset: UInt32
}
