import SeriesModel

/// Names and values that discoverers make out of what others call their things.
enum MetaLabels {
    /// A name with everything but ASCII letters, digits and underscores replaced by an underscore, one for each Unicode
    /// scalar.
    static func sanitized(_ name: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.utf8.count)
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                bytes.append(byte)
            case 0x80..<0xC0: break
            default: bytes.append(UInt8(ascii: "_"))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `host:port`, with brackets where the host is an IPv6 address.
    static func address(_ host: String, _ port: Int) -> String {
        (host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host) + ":" + String(port)
    }
}

/// The labels of a target being gathered. The last value of a name counts, an empty one leaves it out.
struct MetaLabelBuilder {
    private var values: [String: String] = [:]

    init() {}

    subscript(name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// Adds those of another, which win.
    mutating func merge(_ other: MetaLabelBuilder) { values.merge(other.values) { $1 } }

    func build() -> LabelSet {
        LabelSet(values.compactMap { $0.value.isEmpty ? nil : Label($0.key, $0.value) })
    }
}
