/// One name–value pair of a series. Names and values are compared and hashed **by their UTF-8 bytes**: Swift's own
/// `String` equality treats canonically equivalent texts as the same, which label values are not.
package struct Label: Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The label that carries the metric name.
    package static let metricName = "__name__"
    /// Set by the scrape loop: the name of the scrape job.
    package static let job = "job"
    /// Set by the scrape loop: the target's address, unless relabelling says otherwise.
    package static let instance = "instance"
    /// Upper bound of a classic histogram's bucket.
    package static let bucketBound = "le"
    /// A summary's quantile.
    package static let quantile = "quantile"
}

extension Label: Hashable {
    package static func == (a: Label, b: Label) -> Bool {
        a.name.hasSameBytes(as: b.name) && a.value.hasSameBytes(as: b.value)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(bytesOf: name)
        hasher.combine(bytesOf: value)
    }
}

extension Label: Comparable {
    package static func < (a: Label, b: Label) -> Bool {
        if a.name.hasSameBytes(as: b.name) { return a.value.precedesByBytes(b.value) }
        return a.name.precedesByBytes(b.name)
    }
}

extension String {
    /// Equality of the UTF-8 bytes, without Unicode normalisation.
    package func hasSameBytes(as other: String) -> Bool {
        var a = self
        var b = other
        return a.withUTF8 { left in b.withUTF8 { right in left.elementsEqual(right) } }
    }

    /// Order of the UTF-8 bytes, which for valid text is the order of the code points.
    package func precedesByBytes(_ other: String) -> Bool {
        var a = self
        var b = other
        return a.withUTF8 { left in b.withUTF8 { right in left.lexicographicallyPrecedes(right) } }
    }
}

extension Hasher {
    /// Feeds the UTF-8 bytes and a terminator, so that neighbouring texts cannot run together.
    package mutating func combine(bytesOf text: String) {
        var text = text
        text.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
        combine(UInt8(0xFF))
    }
}
