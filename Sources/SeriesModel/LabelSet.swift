/// The identity of a series: labels with unique names, sorted by the bytes of the name, none with an empty value
/// (an empty value *is* the absence of the label).
///
/// Mechanism: all labels lie in one packed array of bytes: for each label the name's length, the name, the value's
/// length, the value; lengths as LEB128 varints. One allocation a set, equality is one memory compare, the hash one
/// pass. Strings are made where somebody asks for them: at the edges.
///
/// Invariant: the bytes are sorted, unique, non-empty in name and value, and valid UTF-8.
package struct LabelSet: Sendable {
    /// The packed labels. Two sets are equal exactly when these bytes are.
    package let packed: [UInt8]

    /// The empty set.
    package static let empty = LabelSet(trusted: [])

    /// Takes bytes that are known to hold the invariant, for example those of another set read back from a log
    /// whose checksum was right. Use `init(validating:)` for bytes from outside.
    package init(trusted packed: [UInt8]) {
        self.packed = packed
    }

    /// Sorts, drops empty values; of labels with the same name the last one wins.
    package init(_ labels: some Sequence<Label>) {
        var sorted: [Label] = []
        var isSorted = true
        for label in labels {
            if let last = sorted.last, !last.name.precedesByBytes(label.name) { isSorted = false }
            sorted.append(label)
        }
        if !isSorted {
            // A stable order by name keeps the last of equal names last.
            let ordered = sorted.enumerated().sorted { a, b in
                if a.element.name.hasSameBytes(as: b.element.name) { return a.offset < b.offset }
                return a.element.name.precedesByBytes(b.element.name)
            }
            sorted = []
            for (_, label) in ordered {
                if let last = sorted.last, last.name.hasSameBytes(as: label.name) { sorted.removeLast() }
                sorted.append(label)
            }
        }
        self.init(sorted: sorted)
    }

    /// Labels that are already in order and unique. Empty values are dropped.
    package init(sorted labels: [Label]) {
        var bytes: [UInt8] = []
        var capacity = 0
        for label in labels { capacity += label.name.utf8.count + label.value.utf8.count + 4 }
        bytes.reserveCapacity(capacity)
        for label in labels where !label.value.isEmpty {
            LabelSet.pack(label.name, into: &bytes)
            LabelSet.pack(label.value, into: &bytes)
        }
        packed = bytes
    }

    private static func pack(_ text: String, into bytes: inout [UInt8]) {
        appendLength(text.utf8.count, to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    /// Appends a LEB128 varint, the form in which `packed` holds its lengths.
    package static func appendLength(_ length: Int, to bytes: inout [UInt8]) {
        var rest = length
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Where the next name or value of a packed label set lies.
    /// - Parameter position: of its length; is moved behind it, and never beyond the end.
    package static func nextText(in packed: UnsafeRawBufferPointer, at position: inout Int) -> Range<Int> {
        var length = 0
        var shift = 0
        while position < packed.count {
            let byte = packed[position]
            position += 1
            length |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { break }
            shift += 7
        }
        let start = position
        position = start + Swift.min(Swift.max(length, 0), packed.count - start)
        return start..<position
    }
}

// MARK: - Access

extension LabelSet: Sequence {
    /// Walks the labels in name order as ranges of `packed`, without making strings.
    package struct RangeIterator: IteratorProtocol {
        private let packed: [UInt8]
        private var position = 0

        fileprivate init(_ packed: [UInt8]) { self.packed = packed }

        package mutating func next() -> (name: Range<Int>, value: Range<Int>)? {
            guard position < packed.count else { return nil }
            let name = field()
            let value = field()
            return (name, value)
        }

        private mutating func field() -> Range<Int> {
            packed.withUnsafeBytes { LabelSet.nextText(in: $0, at: &position) }
        }
    }

    package struct Iterator: IteratorProtocol {
        private let packed: [UInt8]
        private var ranges: RangeIterator

        fileprivate init(_ packed: [UInt8]) {
            self.packed = packed
            ranges = RangeIterator(packed)
        }

        package mutating func next() -> Label? {
            guard let (name, value) = ranges.next() else { return nil }
            return Label(
                String(decoding: packed[name], as: UTF8.self), String(decoding: packed[value], as: UTF8.self))
        }
    }

    package func makeIterator() -> Iterator { Iterator(packed) }

    /// The labels as byte ranges of `packed`, in name order.
    package var ranges: RangeIterator { RangeIterator(packed) }

    package var isEmpty: Bool { packed.isEmpty }

    /// The number of labels. - Complexity: O(labels)
    package var count: Int {
        var ranges = self.ranges
        var count = 0
        while ranges.next() != nil { count += 1 }
        return count
    }

    /// The value of a label, nil where the set has none of that name. - Complexity: O(labels)
    package subscript(name: String) -> String? {
        guard let range = valueRange(of: name) else { return nil }
        return String(decoding: packed[range], as: UTF8.self)
    }

    /// Where in `packed` the value of a label lies.
    package func valueRange(of name: String) -> Range<Int>? {
        var ranges = self.ranges
        var name = name
        return name.withUTF8 { wanted in
            while let (nameRange, valueRange) = ranges.next() {
                if nameRange.count == wanted.count, packed[nameRange].elementsEqual(wanted) { return valueRange }
            }
            return nil
        }
    }

    /// `__name__`, or nil.
    package var metricName: String? { self[Label.metricName] }
}

// MARK: - Changes

extension LabelSet {
    /// A copy without the labels whose name the predicate picks.
    package func dropping(where isDropped: (String) -> Bool) -> LabelSet {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(packed.count)
        var ranges = self.ranges
        var start = 0
        while let (name, value) = ranges.next() {
            if !isDropped(String(decoding: packed[name], as: UTF8.self)) {
                bytes.append(contentsOf: packed[start..<value.upperBound])
            }
            start = value.upperBound
        }
        return LabelSet(trusted: bytes)
    }

    /// A copy without the named labels.
    package func dropping(_ names: Set<String>) -> LabelSet {
        dropping { names.contains($0) }
    }

    /// A copy with only the named labels.
    package func keeping(_ names: Set<String>) -> LabelSet {
        dropping { !names.contains($0) }
    }

    /// A copy without `__name__`.
    package var withoutMetricName: LabelSet {
        // `__name__` sorts after upper-case letters only, so it is nearly always first: test it without strings.
        guard valueRange(of: Label.metricName) != nil else { return self }
        return dropping { $0 == Label.metricName }
    }

    /// A copy with the label set, replaced, or (by an empty value) removed.
    package func setting(_ name: String, _ value: String) -> LabelSet {
        var builder = LabelSetBuilder(self)
        builder.set(name, value)
        return builder.build()
    }
}

/// Collects changes to a label set; the set itself is built once at the end.
package struct LabelSetBuilder {
    private var labels: [Label]

    package init(_ base: LabelSet = .empty) {
        labels = Array(base)
    }

    /// An empty value removes the label.
    package mutating func set(_ name: String, _ value: String) {
        let index = labels.firstIndex { $0.name.hasSameBytes(as: name) }
        switch (index, value.isEmpty) {
        case (let index?, true): labels.remove(at: index)
        case (let index?, false): labels[index] = Label(name, value)
        case (nil, true): break
        case (nil, false): labels.append(Label(name, value))
        }
    }

    package mutating func remove(_ name: String) {
        labels.removeAll { $0.name.hasSameBytes(as: name) }
    }

    package mutating func keep(where isKept: (String) -> Bool) {
        labels.removeAll { !isKept($0.name) }
    }

    package subscript(name: String) -> String? {
        labels.first { $0.name.hasSameBytes(as: name) }?.value
    }

    /// The labels as they stand, in no particular order.
    package var current: [Label] { labels }

    package func build() -> LabelSet { LabelSet(labels) }
}

// MARK: - Identity and order

extension LabelSet: Hashable {
    package static func == (a: LabelSet, b: LabelSet) -> Bool { a.packed == b.packed }

    package func hash(into hasher: inout Hasher) {
        packed.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// A 64-bit hash that is the same in every process and release: it orders series (see `SeriesSet`) and joins
    /// what head and blocks hold of one series.
    package var stableHash: UInt64 { StableHash.hash(packed) }
}

extension LabelSet: Comparable {
    /// Label by label: names first, then values, each by bytes; a set that is the beginning of another sorts first.
    package static func < (a: LabelSet, b: LabelSet) -> Bool {
        var left = a.ranges
        var right = b.ranges
        while true {
            switch (left.next(), right.next()) {
            case (nil, nil): return false
            case (nil, _): return true
            case (_, nil): return false
            case (let l?, let r?):
                let names = compareBytes(a.packed[l.name], b.packed[r.name])
                if names != 0 { return names < 0 }
                let values = compareBytes(a.packed[l.value], b.packed[r.value])
                if values != 0 { return values < 0 }
            }
        }
    }

    private static func compareBytes(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
        for (x, y) in zip(a, b) where x != y { return x < y ? -1 : 1 }
        return a.count - b.count
    }
}

extension LabelSet: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Label($0.0, $0.1) })
    }
}

extension LabelSet: CustomStringConvertible {
    /// Prometheus' notation: `{__name__="up", job="api"}`.
    package var description: String {
        "{" + map { LabelName.quotedIfNeeded($0.name) + "=" + GoQuote.quote($0.value) }.joined(separator: ", ") + "}"
    }

    /// The notation of PromQL: `up{job="api"}`, `{}` for the empty set.
    package var metricNotation: String {
        guard let name = metricName, LabelName.isLegacyMetricName(name) else { return description }
        let rest = withoutMetricName
        return rest.isEmpty ? name : name + rest.description
    }
}
