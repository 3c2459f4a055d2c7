/// Texts as parts of URLs and of forms (RFC 3986; the `+` for a space as HTML forms have it).
package enum PercentEncoding {
    /// What never needs a percent sign, beside letters and digits.
    package static let unreserved: StaticString = "-_.~"

    /// - Parameter kept: ASCII characters that stay as they are, beside letters and digits.
    package static func encode(
        _ text: String, keeping kept: StaticString = unreserved, spaceAsPlus: Bool = false
    ) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        kept.withUTF8Buffer { kept in
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    out.append(byte)
                case 0x20 where spaceAsPlus: out.append(UInt8(ascii: "+"))
                case _ where kept.contains(byte): out.append(byte)
                default: out += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
                }
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Without percent signs; one that two hexadecimal digits do not follow stays.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "%"), bytes.count - index >= 2, let high = value(bytes[index]),
                let low = value(bytes[index + 1])
            {
                out.append(high << 4 | low)
                index += 2
            } else {
                out.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
