/// Where in a line the reader stands: decides what counts as a token there.
enum LexState {
    case start
    /// Behind `# HELP`, `# TYPE`, `# UNIT`: a name is due.
    case metadataName
    case labels
    case labelValue
    case value
    case timestamp
    case exemplar
    case exemplarValue
    case exemplarNumber
    case exemplarTimestamp
}

/// Error texts in upstream's words. All of this runs at most once a body.
extension BodyScanner {
    @inline(never)
    func error(_ message: String) -> ExpositionError {
        var line = 1
        for byte in bytes[..<min(lineStart, bytes.count)] where byte == UInt8(ascii: "\n") { line += 1 }
        return ExpositionError(line: line, message: message)
    }

    /// `what while parsing: "the line up to an index"`
    @inline(never)
    func failure(_ what: String, upTo end: Int) -> ExpositionError {
        error("\(what) while parsing: \(quote(lineStart..<max(end, lineStart)))")
    }

    /// `what, got "the token and one byte more" ("ITS KIND") while parsing: "the line up to there"`
    /// - Parameter previous: where the token before begins; shown instead where the body has ended.
    @inline(never)
    func unexpected(_ what: String, at start: Int, after previous: Int, _ state: LexState) -> ExpositionError {
        let limit = grammar == .prometheus ? bytes.count + 1 : bytes.count
        var start = start
        var kind = "EOF"
        var end = limit
        if start < limit {
            let token = token(at: start, state)
            kind = token.kind
            end = min(token.end + 1, limit)
        } else {
            start = max(previous, lineStart)
        }
        let got = quote(start..<max(end, start))
        return error("\(what), got \(got) (\"\(kind)\") while parsing: \(quote(lineStart..<max(end, lineStart)))")
    }

    /// Quotes a range of the body; in the text format the end of the body counts as a newline.
    func quote(_ range: Range<Int>) -> String {
        if range.upperBound > bytes.count, grammar == .prometheus {
            let tail = Array(bytes[range.clamped(to: 0..<bytes.count)]) + [UInt8(ascii: "\n")]
            return tail.withUnsafeBytes { ExpositionError.quote($0, 0..<$0.count) }
        }
        return ExpositionError.quote(bytes, range)
    }

    /// The token at an index, by upstream's names; `INVALID` with how far it was read where there is none.
    private func token(at start: Int, _ state: LexState) -> (kind: String, end: Int) {
        let first = byte(start) ?? UInt8(ascii: "\n")
        switch state {
        case .start, .metadataName:
            let end = skipMetricName(start)
            if end > start { return ("MNAME", end) }
            if first == UInt8(ascii: "{"), state == .start { return ("BOPEN", start + 1) }
            let rules = StringRules(allowsNewline: true, allowsNUL: false)
            if first == UInt8(ascii: "\""), state == .metadataName { return ("INVALID", quotedExtent(start, rules)) }
            if first == UInt8(ascii: "#"), state == .start { return ("INVALID", commentExtent(start)) }
        case .labels, .exemplar:
            switch first {
            case UInt8(ascii: "}"): return ("BCLOSE", start + 1)
            case UInt8(ascii: "="): return ("EQUAL", start + 1)
            case UInt8(ascii: ","): return ("COMMA", start + 1)
            case UInt8(ascii: "\""):
                let rules = StringRules(allowsNewline: state == .labels, allowsNUL: false)
                return skipQuoted(start, rules).map { ("QSTRING", $0.end) } ?? ("INVALID", quotedExtent(start, rules))
            default:
                let end = skipLabelName(start)
                if end > start { return ("LNAME", end) }
            }
        case .labelValue, .exemplarValue:
            let rules = StringRules(allowsNewline: grammar == .prometheus, allowsNUL: state == .labelValue)
            if first == UInt8(ascii: "\"") { return ("INVALID", quotedExtent(start, rules)) }
        case .value where grammar == .prometheus:
            if first == UInt8(ascii: "{") { return ("BOPEN", start + 1) }
        case .timestamp where grammar == .prometheus:
            var end = start
            while let digit = byte(end), ByteClass.isDigit(digit) { end += 1 }
            if end > start { return ("TIMESTAMP", end) }
            if first == UInt8(ascii: "\n") { return ("LINEBREAK", start + 1) }
        case .value, .timestamp, .exemplarNumber, .exemplarTimestamp:
            if first == UInt8(ascii: "\n"), state == .timestamp || state == .exemplarTimestamp {
                return ("LINEBREAK", start + 1)
            }
            if first == UInt8(ascii: "{"), state == .value { return ("BOPEN", start + 1) }
            guard first == 0x20 else { break }
            if state == .timestamp, byte(start + 1) == UInt8(ascii: "#"), byte(start + 2) == 0x20,
                byte(start + 3) == UInt8(ascii: "{")
            {
                return ("COMMENT", start + 4)
            }
            var end = start + 1
            while let next = byte(end), next != 0x20, next != UInt8(ascii: "\n"), next != 0 { end += 1 }
            if end == start + 1 { return ("INVALID", end) }
            return (state == .timestamp || state == .exemplarTimestamp ? "TIMESTAMP" : "VALUE", end)
        }
        return ("INVALID", start)
    }

    /// How far an unclosed quoted text was read.
    private func quotedExtent(_ start: Int, _ rules: StringRules) -> Int {
        var index = start + 1
        while let next = byte(index) {
            if next == 0, !rules.allowsNUL { return index }
            if next == UInt8(ascii: "\n"), !rules.allowsNewline { return index }
            index += next == UInt8(ascii: "\\") ? 2 : 1
        }
        return bytes.count
    }

    /// How far a line of OpenMetrics that begins with `#` agrees with anything it could be.
    private func commentExtent(_ start: Int) -> Int {
        guard byte(start + 1) == 0x20 else { return start + 1 }
        let words: [StaticString] = ["HELP ", "TYPE ", "UNIT ", "EOF"]
        let agreed = words.map { word in
            word.withUTF8Buffer { word in
                var count = 0
                while count < word.count, byte(start + 2 + count) == word[count] { count += 1 }
                return count
            }
        }
        return start + 2 + (agreed.max() ?? 0)
    }
}
