/// Why a text is no query: the first finding is what is shown, as upstream does; all are kept.
package struct ParseError: Error, Sendable, Hashable {
    package struct Finding: Sendable, Hashable {
        package var range: SourceRange
        package var message: String
    }

    package var findings: [Finding]
    /// `line:col` of the first finding, both from 1, the column in bytes.
    package var position: SourcePosition

    init(_ findings: [Finding], in query: [UInt8]) {
        self.findings = findings
        position = SourcePosition(offset: findings.first?.range.start ?? 0, in: query)
    }
}

extension ParseError: CustomStringConvertible {
    package var description: String { "\(position): parse error: \(findings.first?.message ?? "")" }
}

/// A place in a query, both numbers from 1; the column counts bytes.
package struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(offset: Int, in query: some Collection<UInt8>) {
        line = 1
        column = 1
        for byte in query.prefix(max(0, offset)) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
    }

    package var description: String { "\(line):\(column)" }
}
