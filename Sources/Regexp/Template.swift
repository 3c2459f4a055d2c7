/// Go's `Regexp.Expand` notation.
enum Template {
    static func expand(_ template: String, _ value: (String) -> String) -> String {
        var out: [UInt8] = []
        var rest = Array(template.utf8)[...]
        while let byte = rest.first {
            rest = rest.dropFirst()
            guard byte == UInt8(ascii: "$") else {
                out.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "$") {
                out.append(byte)
                rest = rest.dropFirst()
            } else if let (name, after) = reference(rest) {
                out.append(contentsOf: value(name).utf8)
                rest = after
            } else {
                // Not a reference: Go keeps the dollar sign as it is.
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func reference(_ text: ArraySlice<UInt8>) -> (name: String, rest: ArraySlice<UInt8>)? {
        var rest = text
        let isBraced = rest.first == UInt8(ascii: "{")
        if isBraced { rest = rest.dropFirst() }
        let name = rest.prefix { isWord($0) }
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty else { return nil }
        if isBraced {
            guard rest.first == UInt8(ascii: "}") else { return nil }
            rest = rest.dropFirst()
        }
        return (String(decoding: name, as: UTF8.self), rest)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            return true
        default: return false
        }
    }
}
