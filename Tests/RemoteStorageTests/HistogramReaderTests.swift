import ByteCoding
import RemoteStorage
import SeriesModel
import Testing

@Suite("Native histograms of remote write")
struct HistogramReaderTests {
    /// Puts the fields of a histogram message together.
    private struct Message {
        var bytes: [UInt8] = []

        mutating func integer(_ field: Int, _ value: UInt64) {
            Varint.append(UInt64(field << 3), to: &bytes)
            Varint.append(value, to: &bytes)
        }

        mutating func double(_ field: Int, _ value: Double) {
            Varint.append(UInt64(field << 3 | 1), to: &bytes)
            bytes += withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
        }

        mutating func sized(_ field: Int, _ content: [UInt8]) {
            Varint.append(UInt64(field << 3 | 2), to: &bytes)
            Varint.append(UInt64(content.count), to: &bytes)
            bytes += content
        }

        mutating func span(_ field: Int, offset: Int64, length: UInt64) {
            var span = Message()
            span.integer(1, Varint.zigzag(offset))
            span.integer(2, length)
            sized(field, span.bytes)
        }

        mutating func deltas(_ field: Int, _ deltas: [Int64]) {
            var packed: [UInt8] = []
            for delta in deltas { Varint.append(Varint.zigzag(delta), to: &packed) }
            sized(field, packed)
        }

        mutating func doubles(_ field: Int, _ values: [Double]) {
            sized(field, values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        }
    }

    private func read(_ histogram: Message) throws -> (timestamp: Timestamp, histogram: NativeHistogram) {
        var label = Message()
        label.sized(1, Array("__name__".utf8))
        label.sized(2, Array("h".utf8))
        var series = Message()
        series.sized(1, label.bytes)
        series.sized(4, histogram.bytes)
        var request = Message()
        request.sized(1, series.bytes)
        let found = try request.bytes.withUnsafeBytes { bytes in
            var reader = WriteRequestReader(bytes)
            #expect(try reader.next() == .valid(["__name__": "h"]))
            let found = try reader.nextHistogram()
            #expect(try reader.nextHistogram() == nil)
            return found
        }
        return try #require(found)
    }

    @Test("with integer counts have differences for buckets")
    func integers() throws {
        var message = Message()
        message.integer(1, 12)
        message.double(3, 18.4)
        message.integer(4, Varint.zigzag(1))
        message.double(5, 0.001)
        message.integer(6, 2)
        message.span(8, offset: 0, length: 2)
        message.deltas(9, [1, 0])
        message.span(11, offset: -2, length: 2)
        message.span(11, offset: 3, length: 1)
        message.deltas(12, [1, 1, 3])
        message.integer(14, 3)
        message.integer(15, 1_700_000_000_000)
        let (timestamp, histogram) = try read(message)
        #expect(timestamp == 1_700_000_000_000)
        let expected = NativeHistogram(
            counterResetHint: .gauge, schema: 1, zeroThreshold: 0.001, zeroCount: 2, count: 12, sum: 18.4,
            positiveSpans: [.init(offset: -2, length: 2), .init(offset: 3, length: 1)], positiveBuckets: [1, 2, 5],
            negativeSpans: [.init(offset: 0, length: 2)], negativeBuckets: [1, 1])
        #expect(histogram == expected)
        #expect(histogram.counterResetHint == .gauge)
        #expect(throws: Never.self) { try histogram.validate() }
    }

    @Test("with float counts have counts for buckets")
    func floats() throws {
        var message = Message()
        message.double(2, 4.5)
        message.double(3, -1)
        message.double(7, 0.5)
        message.span(8, offset: 1, length: 1)
        message.doubles(10, [1.5])
        message.span(11, offset: 0, length: 1)
        message.doubles(13, [2.5])
        message.integer(15, 7)
        let expected = NativeHistogram(
            zeroCount: 0.5, count: 4.5, sum: -1, positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [2.5],
            negativeSpans: [.init(offset: 1, length: 1)], negativeBuckets: [1.5])
        #expect(try read(message).histogram == expected)
    }

    @Test("may have custom bounds, and numbers that are not packed")
    func customBounds() throws {
        var message = Message()
        message.integer(1, 3)
        message.integer(4, Varint.zigzag(-53))
        message.span(11, offset: 0, length: 2)
        message.integer(12, Varint.zigzag(1))
        message.integer(12, Varint.zigzag(1))
        message.doubles(16, [0.5])
        message.double(16, 1)
        let expected = NativeHistogram(
            schema: -53, count: 3, positiveSpans: [.init(offset: 0, length: 2)], positiveBuckets: [1, 2],
            customBounds: [0.5, 1])
        let histogram = try read(message).histogram
        #expect(histogram == expected)
        #expect(throws: Never.self) { try histogram.validate() }
    }

    @Test("of a finer resolution than is stored are brought down to it")
    func fineSchema() throws {
        var message = Message()
        message.integer(1, 3)
        message.integer(4, Varint.zigzag(9))
        message.span(11, offset: 1, length: 2)
        message.deltas(12, [1, 1])
        let expected = NativeHistogram(
            schema: 8, count: 3, positiveSpans: [.init(offset: 1, length: 1)], positiveBuckets: [3])
        #expect(try read(message).histogram == expected)
    }

    @Test("whose differences lead below zero or beyond all numbers are told apart by their check, and never trap")
    func overflow() throws {
        for deltas in [[Int64.max, Int64.max], [1, -2], [Int64.min, -1]] {
            var message = Message()
            message.span(11, offset: 0, length: 2)
            message.deltas(12, deltas)
            let histogram = try read(message).histogram
            #expect(throws: HistogramError.self) { try histogram.validate() }
        }
        var spans = Message()
        spans.integer(4, Varint.zigzag(52))
        spans.span(11, offset: Int64(Int32.max), length: UInt64(UInt32.max))
        spans.span(11, offset: Int64(Int32.min), length: UInt64(UInt32.max))
        spans.deltas(12, [1, 2, 3])
        let histogram = try read(spans).histogram
        #expect((try? histogram.validate()) == nil)
    }

    @Test("that end early, or have fields of another wire type, are refused")
    func malformed() {
        for bytes in [[0x19, 1], [0x5A, 2, 0x08], [0x08], [0x0A, 0], [0x5A, 2, 0x0A, 0], [0x6A, 4, 1, 2, 3, 4]] {
            #expect(throws: WireError.self) { try read(Message(bytes: bytes.map { UInt8($0) })) }
        }
    }
}
