import CRE2Shim

/// A regular expression in RE2's syntax, anchored at both ends, `.` matching newlines too: what PromQL matchers and
/// relabelling mean by a regular expression. Matching takes time linear in the text, whatever the pattern.
///
/// Compiled once, immutable, and usable from any thread (RE2 objects are thread-safe when constant).
package final class Pattern: Sendable {
    package let source: String
    /// The texts that match, when they can be told from the pattern alone (`a|b|c`, a literal); nil otherwise.
    package let literals: [String]?

    let handle: Handle

    struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// - Throws: `PatternError`
    package init(_ source: String) throws(PatternError) {
        var message: UnsafeMutablePointer<CChar>?
        var text = GroupNames.inOldNotation(source)
        let pointer = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { hearth_re2_compile($0.baseAddress, $0.count, &message) }
        }
        defer { hearth_re2_free_message(message) }
        guard let pointer else {
            throw PatternError(
                pattern: source, compilerMessage: message.map { String(cString: $0) } ?? "cannot compile the expression"
            )
        }
        self.source = source
        handle = Handle(pointer: pointer)
        literals = LiteralAlternation.parse(source)
    }

    deinit { hearth_re2_free(handle.pointer) }

    package func matches(_ text: String) -> Bool {
        if let literals { return literals.contains { $0.utf8.elementsEqual(text.utf8) } }
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        hearth_re2_match(handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) != 0
    }

    /// The number of capturing groups, without the whole match.
    package var groupCount: Int { Int(hearth_re2_group_count(handle.pointer)) }

    /// The number of the named group, or nil.
    package func groupIndex(named name: String) -> Int? {
        let index = name.withCString { hearth_re2_group_index(handle.pointer, $0) }
        return index < 0 ? nil : Int(index)
    }

    /// The whole match and the groups of a match of the entire text, groups that took no part as nil; nil if the
    /// text does not match.
    package func groups(in text: String) -> [String?]? {
        let count = groupCount + 1
        var starts = [Int](repeating: -1, count: count)
        var ends = [Int](repeating: -1, count: count)
        var text = text
        return text.withUTF8 { bytes -> [String?]? in
            let matched = bytes.withMemoryRebound(to: CChar.self) {
                hearth_re2_groups(handle.pointer, $0.baseAddress, $0.count, &starts, &ends, Int32(clamping: count))
            }
            guard matched != 0 else { return nil }
            return zip(starts, ends).map { start, end in
                guard start >= 0, start <= end, end <= bytes.count else { return nil }
                return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
            }
        }
    }

    /// The match's groups put into a template in Go's notation: `$1`, `${1}`, `$name`, `${name}`, `$$`. A name is the
    /// longest run of letters, digits and `_`; an unknown one, or a group that took no part, expands to nothing.
    /// Nil if the text does not match.
    package func expand(_ template: String, in text: String) -> String? {
        groups(in: text).map { expand(template, with: $0) }
    }

    /// The same with the groups of a match that has been made.
    package func expand(_ template: String, with groups: [String?]) -> String {
        Template.expand(template) { name in
            let index = Int(name) ?? groupIndex(named: name)
            guard let index, groups.indices.contains(index) else { return "" }
            return groups[index] ?? ""
        }
    }
}
