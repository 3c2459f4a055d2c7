import Rules
import SeriesModel

/// An alert as the outbox keeps it: a version byte, three numbers as eight bytes little-endian (the third says whether
/// the alert is resolved), then the URL, the labels and the annotations, texts with a length before them.
extension Alert {
    private static let version: UInt8 = 1

    func outboxEntry(for alertmanager: String) -> NotificationOutboxEntry {
        NotificationOutboxEntry(alertmanager: alertmanager, key: labels.packed, payload: encoded())
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [Alert.version]
        func append(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        func append(_ text: String) {
            append(Int64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        append(startsAt)
        append(endsAt)
        append(isResolved ? 1 : 0)
        append(generatorURL)
        for set in [labels, annotations] {
            append(Int64(set.count))
            for label in set {
                append(label.name)
                append(label.value)
            }
        }
        return bytes
    }

    /// Nil where the bytes are not what `encoded` writes.
    init?(decoding bytes: [UInt8]) {
        var rest = bytes[...]
        func number() -> Int64? {
            guard rest.count >= 8 else { return nil }
            var bits: UInt64 = 0
            for (index, byte) in rest.prefix(8).enumerated() { bits |= UInt64(byte) << UInt64(index * 8) }
            rest = rest.dropFirst(8)
            return Int64(bitPattern: bits)
        }
        func count() -> Int? {
            guard let value = number(), value >= 0, value <= Int64(rest.count) else { return nil }
            return Int(truncatingIfNeeded: value)
        }
        func text() -> String? {
            guard let count = count(), let text = String(validating: rest.prefix(count), as: UTF8.self) else {
                return nil
            }
            rest = rest.dropFirst(count)
            return text
        }
        func labels() -> LabelSet? {
            guard let count = count() else { return nil }
            var labels: [Label] = []
            for _ in 0..<count {
                guard let name = text(), let value = text() else { return nil }
                labels.append(Label(name, value))
            }
            return LabelSet(labels)
        }
        guard rest.popFirst() == Alert.version, let startsAt = number(), let endsAt = number(),
            let resolved = number(), let url = text(), let set = labels(), let annotations = labels(), rest.isEmpty
        else { return nil }
        self.init(
            labels: set, annotations: annotations, startsAt: startsAt, endsAt: endsAt, isResolved: resolved != 0,
            generatorURL: url)
    }
}
