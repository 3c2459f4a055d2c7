/// The fields of a `multipart/form-data` body (RFC 7578); files in it are left out.
enum MultipartForm {
    private static let fieldCountMax = 1000

    /// - Returns: the boundary that a `Content-Type` names; nil where the type is another.
    static func boundary(in contentType: String) -> String? {
        let parts = contentType.split(separator: ";").map { $0.trimmingBlanks }
        guard parts.first?.lowercased() == "multipart/form-data" else { return nil }
        for part in parts.dropFirst() {
            guard let value = value(of: "boundary", in: part), (1...70).contains(value.utf8.count) else { continue }
            return value
        }
        return nil
    }

    /// Reads as far as the body is well formed.
    static func fields(of body: [UInt8], boundary: String) -> [(name: String, value: String)] {
        let delimiter = Array("\r\n--".utf8) + Array(boundary.utf8)
        // The first delimiter has no line end before it where nothing is in front of it.
        let body = Array("\r\n".utf8) + body
        var fields: [(name: String, value: String)] = []
        guard var start = find(delimiter, in: body, from: 0).map({ $0 + delimiter.count }) else { return [] }
        while fields.count < fieldCountMax, let end = find(delimiter, in: body, from: start) {
            if let field = field(body[start..<end]) { fields.append(field) }
            start = end + delimiter.count
        }
        return fields
    }

    /// - Parameter part: from behind its delimiter up to the line end before the next.
    private static func field(_ part: ArraySlice<UInt8>) -> (name: String, value: String)? {
        let part = Array(part)
        guard part.starts(with: Array("\r\n".utf8)), let end = find(Array("\r\n\r\n".utf8), in: part, from: 0) else {
            return nil
        }
        for line in String(decoding: part[..<end], as: UTF8.self).split(whereSeparator: \.isNewline) {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0].lowercased() == "content-disposition" else { continue }
            let parameters = halves[1].split(separator: ";").map { $0.trimmingBlanks }
            guard parameters.first?.lowercased() == "form-data",
                !parameters.contains(where: { value(of: "filename", in: $0) != nil }),
                let name = parameters.compactMap({ value(of: "name", in: $0) }).first
            else { return nil }
            return (name, String(decoding: part[(end + 4)...], as: UTF8.self))
        }
        return nil
    }

    /// The value of `name=value` or `name="value"`.
    private static func value(of name: String, in parameter: Substring) -> String? {
        let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].trimmingBlanks.lowercased() == name else { return nil }
        let value = halves[1].trimmingBlanks
        guard value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else { return String(value) }
        return unescaped(value.dropFirst().dropLast())
    }

    private static func unescaped(_ text: Substring) -> String {
        var out = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == "\\", !isEscaped {
                isEscaped = true
            } else {
                out.unicodeScalars.append(scalar)
                isEscaped = false
            }
        }
        return out
    }

    private static func find(_ text: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = text.first, bytes.count >= text.count else { return nil }
        var index = start
        while index <= bytes.count - text.count {
            if bytes[index] == first, bytes[index..<index + text.count].elementsEqual(text) { return index }
            index += 1
        }
        return nil
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
