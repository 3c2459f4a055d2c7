import ByteCoding
import SeriesModel

/// Turns the label messages of one series or exemplar into a label set: sorted by the bytes of the name, checked,
/// packed. Its memory is used again for the next one.
struct LabelPacker {
    private struct Pair {
        var name: Range<Int>
        var value: Range<Int>
    }

    private enum Field {
        static let name = 1
        static let value = 2
    }

    private let buffer: UnsafeRawBufferPointer
    private var pairs: [Pair] = []
    private static let metricName = Array(Label.metricName.utf8)

    init(_ buffer: UnsafeRawBufferPointer) {
        self.buffer = buffer
    }

    mutating func removeAll() { pairs.removeAll(keepingCapacity: true) }

    /// - Parameter range: a label message.
    mutating func add(_ range: Range<Int>) throws(WireError) {
        var fields = WireCursor(buffer, range)
        var pair = Pair(name: range.lowerBound..<range.lowerBound, value: range.lowerBound..<range.lowerBound)
        while let tag = try fields.tag() {
            switch tag.field {
            case Field.name:
                try fields.expect(WireCursor.WireType.sized, tag)
                pair.name = try fields.sized()
            case Field.value:
                try fields.expect(WireCursor.WireType.sized, tag)
                pair.value = try fields.sized()
            default: try fields.skip(tag)
            }
        }
        pairs.append(pair)
    }

    /// A series. An empty value is the absence of the label, and still counts as its second occurrence.
    mutating func pack() -> WriteRequestReader.SeriesLabels {
        let labels = packAll()
        guard case .valid = labels else { return labels }
        let hasMetricName = pairs.contains { !$0.value.isEmpty && bytes($0.name).elementsEqual(LabelPacker.metricName) }
        return hasMetricName ? labels : .invalid(.metricNameMissing)
    }

    /// An exemplar's labels, which need no metric name and may be none; nil where they are invalid.
    mutating func packExemplar() -> LabelSet? {
        guard case .valid(let labels) = packAll() else { return nil }
        return labels
    }

    private mutating func packAll() -> WriteRequestReader.SeriesLabels {
        sort()
        var size = 0
        for (index, pair) in pairs.enumerated() {
            if pair.name.isEmpty { return .invalid(.nameEmpty) }
            guard UTF8Text.isValid(bytes(pair.name)), UTF8Text.isValid(bytes(pair.value)) else {
                return .invalid(.notUTF8(name: text(pair.name)))
            }
            if index > 0, order(pairs[index - 1].name, pair.name) == 0 {
                return .invalid(.duplicateName(text(pair.name)))
            }
            // Lengths take a byte each but for texts of 128 bytes and more.
            size += pair.name.count + pair.value.count + 2
        }
        var packed: [UInt8] = []
        packed.reserveCapacity(size)
        for pair in pairs where !pair.value.isEmpty {
            LabelSet.appendLength(pair.name.count, to: &packed)
            packed.append(contentsOf: bytes(pair.name))
            LabelSet.appendLength(pair.value.count, to: &packed)
            packed.append(contentsOf: bytes(pair.value))
        }
        return .valid(LabelSet(trusted: packed))
    }

    /// Senders have to sort; most do.
    private mutating func sort() {
        let isSorted = pairs.indices.dropFirst().allSatisfy { order(pairs[$0 - 1].name, pairs[$0].name) <= 0 }
        if isSorted { return }
        let buffer = buffer
        pairs.sort { LabelPacker.order($0.name, $1.name, in: buffer) < 0 }
    }

    private func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer[range])
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: buffer[range], as: UTF8.self) }

    private func order(_ a: Range<Int>, _ b: Range<Int>) -> Int { LabelPacker.order(a, b, in: buffer) }

    private static func order(_ a: Range<Int>, _ b: Range<Int>, in buffer: UnsafeRawBufferPointer) -> Int {
        for (x, y) in zip(buffer[a], buffer[b]) where x != y { return x < y ? -1 : 1 }
        return a.count - b.count
    }
}
