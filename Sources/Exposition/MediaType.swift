/// A media type as HTTP headers carry it: `text/plain; version=0.0.4; charset="utf-8"` (RFC 9110, 8.3.1).
struct MediaType: Hashable {
    /// In lower case.
    var name: String
    /// Names in lower case.
    var parameters: [String: String] = [:]

    /// Nil where the text does not follow the grammar.
    static func parse(_ text: String) -> MediaType? {
        var rest = Array(text.utf8)[...]
        skipSpace(&rest)
        guard let type = token(&rest), rest.popFirst() == UInt8(ascii: "/"), let subtype = token(&rest) else {
            return nil
        }
        var media = MediaType(name: (type + "/" + subtype).lowercased())
        skipSpace(&rest)
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: ";") else { return nil }
            skipSpace(&rest)
            // A trailing semicolon is seen in the wild.
            if rest.isEmpty { break }
            guard let name = token(&rest), rest.popFirst() == UInt8(ascii: "=") else { return nil }
            guard let value = rest.first == UInt8(ascii: "\"") ? quoted(&rest) : token(&rest) else { return nil }
            guard media.parameters.updateValue(value, forKey: name.lowercased()) == nil else { return nil }
            skipSpace(&rest)
        }
        return media
    }

    private static func skipSpace(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
    }

    private static func token(_ rest: inout ArraySlice<UInt8>) -> String? {
        let token = rest.prefix { byte in
            byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?=".utf8.contains(byte)
        }
        rest = rest.dropFirst(token.count)
        return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
    }

    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
        rest = rest.dropFirst()
        var out: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: out, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst() else { return nil }
                out.append(escaped)
            } else {
                out.append(byte)
            }
        }
        return nil
    }
}
