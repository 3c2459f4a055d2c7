package import SeriesModel

/// Writes JSON as bytes, commas by itself. It trusts its caller to nest rightly; the encoding of numbers and strings
/// is its own affair.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    var needsComma = false

    package init() {}

    /// Takes what is written so far, to send it on.
    package mutating func takeBytes() -> [UInt8] {
        let taken = bytes
        bytes = []
        bytes.reserveCapacity(taken.count)
        return taken
    }

    /// Bytes that are JSON already.
    mutating func append(_ written: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: written) }

    // MARK: Structure

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        beginArray()
        body(&self)
        endArray()
    }

    package mutating func array<Element>(
        of elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void
    ) {
        beginArray()
        for element in elements { body(&self, element) }
        endArray()
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// The name of what is written next. - Precondition: nothing in it needs an escape.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func key(text name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    // MARK: Values

    package mutating func string(_ text: String) {
        separate()
        var text = text
        text.withUTF8 { quote($0) }
    }

    package mutating func integer(_ value: some BinaryInteger) {
        separate()
        NumberText.append(Int64(clamping: value), to: &bytes)
    }

    package mutating func boolean(_ value: Bool) { raw(value ? "true" : "false") }

    package mutating func null() { raw("null") }

    /// A JSON number: shortest digits; JSON has no others than finite ones, the rest becomes 0.
    package mutating func number(_ value: Double) {
        separate()
        NumberText.appendAPIValue(value.isFinite ? value : 0, to: &bytes)
    }

    /// A sample's value: a number inside quotes.
    package mutating func sampleValue(_ value: Double) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        NumberText.appendAPIValue(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Seconds: no decimals where they are whole, else three.
    package mutating func timestamp(_ time: Timestamp) {
        separate()
        if time < 0 { bytes.append(UInt8(ascii: "-")) }
        let (seconds, fraction) = time.magnitude.quotientAndRemainder(dividingBy: 1000)
        NumberText.append(Int64(clamping: seconds), to: &bytes)
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            for digit in [fraction / 100, fraction / 10 % 10, fraction % 10] {
                bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
            }
        }
    }

    /// `[time, "value"]`
    package mutating func point(_ time: Timestamp, _ value: Double) {
        open(UInt8(ascii: "["))
        timestamp(time)
        sampleValue(value)
        close(UInt8(ascii: "]"))
    }

    /// `[time, {…}]`; buckets with nothing in them are left out.
    package mutating func point(_ time: Timestamp, _ histogram: NativeHistogram) {
        array { writer in
            writer.timestamp(time)
            writer.object { writer in
                writer.key("count")
                writer.sampleValue(histogram.count)
                writer.key("sum")
                writer.sampleValue(histogram.sum)
                let filled = histogram.buckets.filter { $0.count != 0 }
                if filled.isEmpty { return }
                writer.key("buckets")
                writer.array(of: filled) { writer, bucket in
                    writer.array { writer in
                        writer.integer(bucket.boundaryRule)
                        writer.sampleValue(bucket.lower)
                        writer.sampleValue(bucket.upper)
                        writer.sampleValue(bucket.count)
                    }
                }
            }
        }
    }

    package mutating func labels(_ labels: LabelSet) {
        open(UInt8(ascii: "{"))
        var ranges = labels.ranges
        labels.packed.withUnsafeBufferPointer { packed in
            while let (name, value) = ranges.next() {
                separate()
                quote(UnsafeBufferPointer(rebasing: packed[name]))
                bytes.append(UInt8(ascii: ":"))
                quote(UnsafeBufferPointer(rebasing: packed[value]))
            }
        }
        close(UInt8(ascii: "}"))
    }

    private mutating func raw(_ text: StaticString) {
        separate()
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// Runs of bytes that need no escape are copied at once.
    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        for index in text.indices {
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
            start = index + 1
            escape(byte)
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }
}

extension JSONWriter {
    /// A member whose value is a text.
    package mutating func field(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    package mutating func field(_ name: StaticString, integer value: some BinaryInteger) {
        key(name)
        integer(value)
    }

    package mutating func field(_ name: StaticString, number value: Double) {
        key(name)
        number(value)
    }

    package mutating func field(_ name: StaticString, labels: LabelSet) {
        key(name)
        self.labels(labels)
    }

    package mutating func field(_ name: StaticString, boolean value: Bool) {
        key(name)
        boolean(value)
    }

    /// RFC 3339; the zero time for nil.
    package mutating func field(_ name: StaticString, time: Timestamp?) {
        field(name, time.map { CivilTime($0).rfc3339 } ?? CivilTime.never)
    }

    package mutating func field(_ name: StaticString, array strings: [String]) {
        key(name)
        array(of: strings) { $0.string($1) }
    }
}
