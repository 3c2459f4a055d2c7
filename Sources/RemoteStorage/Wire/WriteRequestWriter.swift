import ByteCoding
package import SeriesModel

/// Writes a `prometheus.WriteRequest`: labels and samples of one series after the other.
///
/// A series' length stands in front of it, so its labels are kept back until its samples are complete.
package struct WriteRequestWriter: Sendable {
    /// The message so far. Complete after `endSeries`.
    package private(set) var bytes: [UInt8] = []
    package private(set) var sampleCount = 0
    private var series: [UInt8] = []
    private var message: [UInt8] = []

    private static let sizedField1: UInt8 = 0x0A
    private static let sizedField2: UInt8 = 0x12
    private static let fixed64Field1: UInt8 = 0x09
    private static let varintField2: UInt8 = 0x10

    package init() {}

    /// Forgets the content and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        series.removeAll(keepingCapacity: true)
        sampleCount = 0
    }

    package mutating func beginSeries(_ labels: LabelSet) {
        series.removeAll(keepingCapacity: true)
        var ranges = labels.ranges
        while let (name, value) = ranges.next() {
            message.removeAll(keepingCapacity: true)
            appendText(WriteRequestWriter.sizedField1, labels.packed[name])
            appendText(WriteRequestWriter.sizedField2, labels.packed[value])
            appendMessage(WriteRequestWriter.sizedField1)
        }
    }

    /// - Parameter timestamp: ms.
    package mutating func append(_ timestamp: Timestamp, _ value: Double) {
        message.removeAll(keepingCapacity: true)
        // Zero is what a field that is left out means; the sign of a zero is not.
        if value.bitPattern != 0 {
            message.append(WriteRequestWriter.fixed64Field1)
            withUnsafeBytes(of: value.bitPattern.littleEndian) { message.append(contentsOf: $0) }
        }
        if timestamp != 0 {
            message.append(WriteRequestWriter.varintField2)
            Varint.append(UInt64(bitPattern: timestamp), to: &message)
        }
        appendMessage(WriteRequestWriter.sizedField2)
        sampleCount += 1
    }

    package mutating func endSeries() {
        bytes.append(WriteRequestWriter.sizedField1)
        Varint.append(UInt64(series.count), to: &bytes)
        bytes.append(contentsOf: series)
        series.removeAll(keepingCapacity: true)
    }

    private mutating func appendText(_ tag: UInt8, _ text: ArraySlice<UInt8>) {
        message.append(tag)
        Varint.append(UInt64(text.count), to: &message)
        message.append(contentsOf: text)
    }

    private mutating func appendMessage(_ tag: UInt8) {
        series.append(tag)
        Varint.append(UInt64(message.count), to: &series)
        series.append(contentsOf: message)
    }
}
