import SeriesModel

/// Keeps the alerts of a group beyond the process: a port, so that rules know nothing of files or databases. One value
/// for each group, opaque to the store.
package protocol AlertStateStore: Sendable {
    /// - Parameter group: `path;name`.
    /// - Returns: what was saved last, nil where nothing was.
    func load(group: String) async throws -> [UInt8]?
    func save(_ state: [UInt8], group: String) async throws
    func remove(group: String) async throws
}

/// What is saved of a group: its active and lately resolved alerts, and when they were so.
struct StoredAlertStates: Sendable, Equatable {
    struct Rule: Sendable, Equatable {
        var name: String
        /// The rule's labels, unexpanded: with the name they tell the rules of a group apart.
        var labels: [Label]
        var alerts: [ActiveAlert]
    }

    /// ms
    var evaluatedAt: Timestamp
    var rules: [Rule]

    var isEmpty: Bool { rules.allSatisfy(\.alerts.isEmpty) }
}

// MARK: - Coding

/// The form: a version byte, then numbers as eight bytes little-endian, texts and lists with a length before them, and
/// optional times with a presence byte. A store checks its own bytes; what does not decode is dropped as a whole.
extension StoredAlertStates {
    private static let version: UInt8 = 1

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [StoredAlertStates.version]
        bytes.append(number: evaluatedAt)
        bytes.append(number: Int64(rules.count))
        for rule in rules {
            bytes.append(text: rule.name)
            bytes.append(labels: rule.labels, count: rule.labels.count)
            bytes.append(number: Int64(rule.alerts.count))
            for alert in rule.alerts { alert.encode(into: &bytes) }
        }
        return bytes
    }

    /// Nil where the bytes are not what `encoded` writes.
    init?(decoding bytes: [UInt8]) {
        var reader = StateReader(bytes)
        guard reader.byte() == StoredAlertStates.version, let evaluatedAt = reader.number(), let count = reader.count()
        else { return nil }
        self.evaluatedAt = evaluatedAt
        rules = []
        for _ in 0..<count {
            guard let name = reader.text(), let labels = reader.labels(), let alertCount = reader.count() else {
                return nil
            }
            var alerts: [ActiveAlert] = []
            for _ in 0..<alertCount {
                guard let alert = ActiveAlert(decoding: &reader) else { return nil }
                alerts.append(alert)
            }
            rules.append(Rule(name: name, labels: labels, alerts: alerts))
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension ActiveAlert {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(labels: labels, count: labels.count)
        bytes.append(labels: annotations, count: annotations.count)
        bytes.append(state == .pending ? 1 : state == .firing ? 2 : 0)
        bytes.append(number: Int64(bitPattern: value.bitPattern))
        bytes.append(number: activeAt)
        for time in [firedAt, resolvedAt, keepFiringSince, lastSentAt, validUntil] {
            bytes.append(time == nil ? 0 : 1)
            if let time { bytes.append(number: time) }
        }
    }

    fileprivate init?(decoding reader: inout StateReader) {
        guard let labels = reader.labels().map({ LabelSet($0) }),
            let annotations = reader.labels().map({ LabelSet($0) }), let stateByte = reader.byte(),
            stateByte <= 2, let value = reader.number(), let activeAt = reader.number(),
            let firedAt = reader.time(), let resolvedAt = reader.time(), let keepFiringSince = reader.time(),
            let lastSentAt = reader.time(), let validUntil = reader.time()
        else { return nil }
        self.init(
            labels: labels, annotations: annotations, value: Double(bitPattern: UInt64(bitPattern: value)),
            activeAt: activeAt)
        state = stateByte == 1 ? .pending : stateByte == 2 ? .firing : .inactive
        self.firedAt = firedAt
        self.resolvedAt = resolvedAt
        self.keepFiringSince = keepFiringSince
        self.lastSentAt = lastSentAt
        self.validUntil = validUntil
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: Int64) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(text: String) {
        append(number: Int64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func append(labels: some Sequence<Label>, count: Int) {
        append(number: Int64(count))
        for label in labels {
            append(text: label.name)
            append(text: label.value)
        }
    }
}

private struct StateReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> Int64? {
        guard rest.count >= 8 else { return nil }
        var bits: UInt64 = 0
        for (index, byte) in rest.prefix(8).enumerated() { bits |= UInt64(byte) << UInt64(index * 8) }
        rest = rest.dropFirst(8)
        return Int64(bitPattern: bits)
    }

    /// A length that the remaining bytes can hold.
    mutating func count() -> Int? {
        guard let number = number(), number >= 0, number <= Int64(rest.count) else { return nil }
        return Int(truncatingIfNeeded: number)
    }

    mutating func text() -> String? {
        guard let count = count(), let text = String(validating: rest.prefix(count), as: UTF8.self) else { return nil }
        rest = rest.dropFirst(count)
        return text
    }

    mutating func labels() -> [Label]? {
        guard let count = count() else { return nil }
        var labels: [Label] = []
        for _ in 0..<count {
            guard let name = text(), let value = text() else { return nil }
            labels.append(Label(name, value))
        }
        return labels
    }

    /// The outer nil is damage, the inner one "no time".
    mutating func time() -> Timestamp?? {
        switch byte() {
        case 0: return .some(nil)
        case 1: return number().map { .some($0) }
        default: return nil
        }
    }
}
