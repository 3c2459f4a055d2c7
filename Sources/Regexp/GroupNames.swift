/// Named groups have two notations, `(?P<name>…)` and, in Go since 1.22, `(?<name>…)`. RE2 libraries that are older
/// know only the first, so the second is rewritten.
enum GroupNames {
    static func inOldNotation(_ pattern: String) -> String {
        let bytes = Array(pattern.utf8)
        let opening = Array("(?<".utf8)
        guard bytes.count > opening.count else { return pattern }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 8)
        var index = 0
        var isInClass = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
                if bytes[index + 1] == UInt8(ascii: "Q"), !isInClass {
                    // Everything up to \E is literal.
                    let end = endOfLiteral(bytes, from: index + 2)
                    out += bytes[index..<end]
                    index = end
                } else {
                    out += bytes[index...index + 1]
                    index += 2
                }
                continue
            }
            if byte == UInt8(ascii: "["), !isInClass {
                isInClass = true
                out.append(byte)
                index += 1
                // A closing bracket that comes first stands for itself.
                if index < bytes.count, bytes[index] == UInt8(ascii: "^") {
                    out.append(bytes[index])
                    index += 1
                }
                if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
                    out.append(bytes[index])
                    index += 1
                }
                continue
            }
            if byte == UInt8(ascii: "]") { isInClass = false }
            let isNamed =
                !isInClass && bytes[index...].starts(with: opening) && index + 3 < bytes.count
                && bytes[index + 3] != UInt8(ascii: "=") && bytes[index + 3] != UInt8(ascii: "!")
            if isNamed {
                out += Array("(?P<".utf8)
                index += opening.count
            } else {
                out.append(byte)
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func endOfLiteral(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "E") { return index + 2 }
            index += 1
        }
        return bytes.count
    }
}
