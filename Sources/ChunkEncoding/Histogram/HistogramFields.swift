import ByteCoding
import SeriesModel

/// The last values of an open chunk of whole counts: each column goes on by the change of its change. Buckets are
/// columns of differences to the bucket before.
struct WholeFields: Sendable {
    private struct Field: Sendable {
        var value: Int64
        var delta: Int64 = 0

        mutating func write(_ new: Int64, to writer: inout BitWriter) {
            let newDelta = new &- value
            writer.writeVarbit(newDelta &- delta)
            delta = newDelta
            value = new
        }
    }

    private var count: Field
    private var zeroCount: Field
    private(set) var sum: XORField
    private var positive: [Field]
    private var negative: [Field]

    /// Writes the chunk's first sample.
    init(_ histogram: NativeHistogram, to writer: inout BitWriter) {
        count = Field(value: wholeCount(histogram.count))
        zeroCount = Field(value: wholeCount(histogram.zeroCount))
        sum = XORField(writing: histogram.sum.bitPattern)
        writer.writeVarbit(unsigned: UInt64(bitPattern: count.value))
        writer.writeVarbit(unsigned: UInt64(bitPattern: zeroCount.value))
        writer.write(sum.bits, 64)
        positive = WholeFields.first(histogram.positiveBuckets, to: &writer)
        negative = WholeFields.first(histogram.negativeBuckets, to: &writer)
    }

    private static func first(_ counts: [Double], to writer: inout BitWriter) -> [Field] {
        var previous: Int64 = 0
        return counts.map { count in
            let field = Field(value: wholeCount(count) &- previous)
            writer.writeVarbit(field.value)
            previous = wholeCount(count)
            return field
        }
    }

    mutating func write(_ histogram: NativeHistogram, to writer: inout BitWriter) {
        count.write(wholeCount(histogram.count), to: &writer)
        zeroCount.write(wholeCount(histogram.zeroCount), to: &writer)
        sum.write(histogram.sum, to: &writer)
        WholeFields.write(histogram.positiveBuckets, &positive, to: &writer)
        WholeFields.write(histogram.negativeBuckets, &negative, to: &writer)
    }

    /// After a stale marker nothing but stale markers follows, so the other columns are left as they are.
    mutating func writeStaleMarker(to writer: inout BitWriter) {
        writer.write(0, 2)
        sum.write(StaleMarker.value, to: &writer)
    }

    private static func write(_ counts: [Double], _ fields: inout [Field], to writer: inout BitWriter) {
        var previous: Int64 = 0
        for index in counts.indices {
            let count = wholeCount(counts[index])
            fields[index].write(count &- previous, to: &writer)
            previous = count
        }
    }
}

/// The last values of an open chunk of any counts: all columns are doubles, each XOR-ed with the one before.
struct DoubleFields: Sendable {
    private var count: XORField
    private var zeroCount: XORField
    private(set) var sum: XORField
    private var positive: [XORField]
    private var negative: [XORField]

    /// Writes the chunk's first sample.
    init(_ histogram: NativeHistogram, to writer: inout BitWriter) {
        count = XORField(writing: histogram.count.bitPattern)
        zeroCount = XORField(writing: histogram.zeroCount.bitPattern)
        sum = XORField(writing: histogram.sum.bitPattern)
        positive = histogram.positiveBuckets.map { XORField(writing: $0.bitPattern) }
        negative = histogram.negativeBuckets.map { XORField(writing: $0.bitPattern) }
        for field in [count, zeroCount, sum] { writer.write(field.bits, 64) }
        for field in positive { writer.write(field.bits, 64) }
        for field in negative { writer.write(field.bits, 64) }
    }

    mutating func write(_ histogram: NativeHistogram, to writer: inout BitWriter) {
        count.write(histogram.count, to: &writer)
        zeroCount.write(histogram.zeroCount, to: &writer)
        sum.write(histogram.sum, to: &writer)
        DoubleFields.write(histogram.positiveBuckets, &positive, to: &writer)
        DoubleFields.write(histogram.negativeBuckets, &negative, to: &writer)
    }

    /// A stale marker is an empty histogram but for its sum, and the marker stands for its buckets.
    mutating func writeStaleMarker(to writer: inout BitWriter) {
        count.write(0, to: &writer)
        zeroCount.write(0, to: &writer)
        sum.write(StaleMarker.value, to: &writer)
    }

    private static func write(_ counts: [Double], _ fields: inout [XORField], to writer: inout BitWriter) {
        for index in counts.indices { fields[index].write(counts[index], to: &writer) }
    }
}

/// A count as a whole number, which `NativeHistogram.hasWholeCounts` says it is.
@inline(__always)
private func wholeCount(_ count: Double) -> Int64 { Int64(clamping: count) ?? 0 }
