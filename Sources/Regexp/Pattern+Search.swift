import CRE2Shim

/// Search instead of match: what Go's `regexp.MatchString` and `ReplaceAllString` do, for templates. To have Go's
/// meaning of `.` too, compile the pattern as `(?-s:…)`.
extension Pattern {
    /// Whether some part of the text matches.
    package func matchesPart(of text: String) -> Bool {
        var text = text
        return text.withUTF8 { find(in: $0, from: 0, groupCount: 1) != nil }
    }

    /// The text with each match, from left to right and without overlap, replaced by the template with its groups
    /// put in (`$1`, `${name}`, `$$`). An empty match right after another match is skipped, as in Go.
    package func replacingMatches(in text: String, with template: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            var out: [UInt8] = []
            var copied = 0
            var position = 0
            while position <= bytes.count, let groups = find(in: bytes, from: position, groupCount: groupCount + 1) {
                guard let match = groups[0] else { break }
                if !(match.isEmpty && match.lowerBound == copied && match.lowerBound > 0 && position > 0) {
                    out.append(contentsOf: bytes[copied..<match.lowerBound])
                    out.append(contentsOf: expand(template, groups, in: bytes).utf8)
                    copied = match.upperBound
                }
                position = match.upperBound
                if match.isEmpty { position = nextScalar(in: bytes, after: position) }
            }
            out.append(contentsOf: bytes[copied...])
            return String(decoding: out, as: UTF8.self)
        }
    }

    private func expand(_ template: String, _ groups: [Range<Int>?], in bytes: UnsafeBufferPointer<UInt8>) -> String {
        Template.expand(template) { name in
            let index = Int(name) ?? groupIndex(named: name)
            guard let index, groups.indices.contains(index), let range = groups[index] else { return "" }
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        }
    }

    private func nextScalar(in bytes: UnsafeBufferPointer<UInt8>, after position: Int) -> Int {
        var next = position + 1
        while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }

    private func find(
        in bytes: UnsafeBufferPointer<UInt8>, from start: Int, groupCount: Int
    ) -> [Range<Int>?]? {
        var starts = [Int](repeating: -1, count: groupCount)
        var ends = [Int](repeating: -1, count: groupCount)
        let matched = bytes.withMemoryRebound(to: CChar.self) {
            hearth_re2_find(
                handle.pointer, $0.baseAddress, $0.count, start, &starts, &ends, Int32(clamping: groupCount))
        }
        guard matched != 0 else { return nil }
        return zip(starts, ends).map { $0 >= 0 && $0 <= $1 && $1 <= bytes.count ? $0..<$1 : nil }
    }
}
