import ByteCoding
import SeriesModel

/// What all histograms of a chunk have in common, and the chunk therefore says once, before the first.
struct HistogramLayout: Sendable {
    var schema: Int32 = 0
    var zeroThreshold = 0.0
    var positiveSpans: [NativeHistogram.Span] = []
    var negativeSpans: [NativeHistogram.Span] = []
    /// Only of the schema of custom bounds.
    var customBounds: [Double] = []

    /// That of a chunk which begins with a stale marker.
    init() {}

    init(of histogram: NativeHistogram) {
        schema = histogram.schema
        zeroThreshold = histogram.zeroThreshold
        positiveSpans = histogram.positiveSpans
        negativeSpans = histogram.negativeSpans
        if histogram.usesCustomBounds { customBounds = histogram.customBounds }
    }

    /// The most that it takes. Bits.
    var bitsMax: Int {
        (4 + 2 * (positiveSpans.count + negativeSpans.count) + customBounds.count + 1) * HistogramFormat.fieldBitsMax
    }

    // MARK: - Writing

    func write(to writer: inout BitWriter) {
        HistogramLayout.writeZeroThreshold(zeroThreshold, to: &writer)
        writer.writeVarbit(Int64(schema))
        for spans in [positiveSpans, negativeSpans] {
            writer.writeVarbit(unsigned: UInt64(spans.count))
            for span in spans {
                writer.writeVarbit(unsigned: UInt64(span.length))
                writer.writeVarbit(Int64(span.offset))
            }
        }
        guard schema == NativeHistogram.customSchema else { return }
        writer.writeVarbit(unsigned: UInt64(customBounds.count))
        for bound in customBounds { HistogramLayout.writeBound(bound, to: &writer) }
    }

    /// One byte for 0 and the powers of two from 2^-243 to 2^10: 0, or the exponent plus 244; else 255 and the double.
    private static func writeZeroThreshold(_ threshold: Double, to writer: inout BitWriter) {
        if threshold == 0 {
            writer.write(0, 8)
        } else if threshold > 0, threshold.isNormal, threshold.significand == 1,
            (-243...10).contains(threshold.exponent)
        {
            writer.write(UInt64(truncatingIfNeeded: threshold.exponent + 244), 8)
        } else {
            writer.write(255, 8)
            writer.write(threshold.bitPattern, 64)
        }
    }

    /// Bounds that people write are mostly small numbers of few decimals: 1 plus thousandths; else 0 and the double.
    private static func writeBound(_ bound: Double, to writer: inout BitWriter) {
        let thousandths = bound * 1000
        if thousandths >= 0, thousandths <= HistogramFormat.shortBoundMax, thousandths.rounded() / 1000 == bound {
            writer.writeVarbit(unsigned: UInt64(thousandths.rounded()) + 1)
        } else {
            writer.write(0, 1)
            writer.write(bound.bitPattern, 64)
        }
    }

    // MARK: - Reading

    init(_ reader: inout FieldReader) throws(ChunkError) {
        zeroThreshold = try HistogramLayout.readZeroThreshold(&reader)
        guard let schema = Int32(exactly: try reader.varbit()),
            NativeHistogram.exponentialSchemas.contains(schema) || schema == NativeHistogram.customSchema
        else { throw .malformed(bit: reader.position) }
        self.schema = schema
        positiveSpans = try HistogramLayout.readSpans(&reader)
        negativeSpans = try HistogramLayout.readSpans(&reader)
        guard schema == NativeHistogram.customSchema else { return }
        let count = try HistogramLayout.readCount(&reader, bitsEach: 1)
        customBounds.reserveCapacity(count)
        for _ in 0..<count {
            let number = try reader.varbitUnsigned()
            customBounds.append(number == 0 ? try reader.double() : Double(number - 1) / 1000)
        }
    }

    private static func readZeroThreshold(_ reader: inout FieldReader) throws(ChunkError) -> Double {
        let byte = Int(truncatingIfNeeded: try reader.bits(8))
        return switch byte {
        case 0: 0
        case 255: try reader.double()
        default: Double(sign: .plus, exponent: byte - 244, significand: 1)
        }
    }

    private static func readSpans(_ reader: inout FieldReader) throws(ChunkError) -> [NativeHistogram.Span] {
        let count = try readCount(&reader, bitsEach: 2)
        var spans: [NativeHistogram.Span] = []
        spans.reserveCapacity(count)
        for index in 0..<count {
            guard let length = UInt32(exactly: try reader.varbitUnsigned()),
                let offset = Int32(exactly: try reader.varbit()), offset >= 0 || index == 0
            else { throw .malformed(bit: reader.position) }
            spans.append(NativeHistogram.Span(offset: offset, length: length))
        }
        return spans
    }

    /// A count of things of which each takes so many bits at least: nothing is allocated that the bytes cannot hold.
    private static func readCount(_ reader: inout FieldReader, bitsEach: Int) throws(ChunkError) -> Int {
        guard let count = Int(exactly: try reader.varbitUnsigned()) else { throw .malformed(bit: reader.position) }
        guard count <= reader.remaining / bitsEach else { throw .truncated }
        return count
    }

    /// The buckets that the spans describe, as far as each takes so many bits of what is left.
    static func bucketCount(
        _ spans: [NativeHistogram.Span], _ reader: FieldReader, bitsEach: Int
    ) throws(ChunkError) -> Int {
        var total = 0
        for span in spans {
            total += Int(span.length)
            guard total <= reader.remaining / bitsEach else { throw .truncated }
        }
        return total
    }
}
