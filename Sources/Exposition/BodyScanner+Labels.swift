extension BodyScanner {
    /// Walks over the labels of a sample or an exemplar, from behind the opening brace.
    /// - Parameter hasName: whether the metric's name stood before the brace; else it must be among the labels.
    /// - Returns: the index behind the closing brace.
    func skipLabels(_ start: Int, hasName: Bool, isExemplar: Bool = false) throws(ExpositionError) -> Int {
        var hasName = hasName
        var index = skipBlanksIfAllowed(start)
        var previous = start - 1
        let nameRules = StringRules(allowsNewline: !isExemplar, allowsNUL: false)
        let valueRules = StringRules(allowsNewline: grammar == .prometheus, allowsNUL: !isExemplar)
        let names: LexState = isExemplar ? .exemplar : .labels
        while true {
            if byte(index) == UInt8(ascii: "}") {
                guard hasName else { throw failure("metric name not set", upTo: index + 1) }
                return index + 1
            }
            let nameStart = index
            var isQuoted = false
            index = skipLabelName(nameStart)
            if index == nameStart, let quoted = skipQuoted(nameStart, nameRules) {
                index = quoted.end
                isQuoted = true
            }
            if index == nameStart { throw unexpected("expected label name", at: index, after: previous, names) }
            previous = nameStart
            index = skipBlanksIfAllowed(index)
            if isQuoted, !isExemplar, byte(index) == UInt8(ascii: ",") || byte(index) == UInt8(ascii: "}") {
                if hasName { throw failure("metric name already set", upTo: index + 1) }
                hasName = true
                if byte(index) == UInt8(ascii: "}") { return index + 1 }
                previous = index
                index = skipBlanksIfAllowed(index + 1)
                continue
            }
            guard byte(index) == UInt8(ascii: "=") else {
                throw unexpected("expected equal", at: index, after: previous, names)
            }
            previous = index
            index = skipBlanksIfAllowed(index + 1)
            guard let value = skipQuoted(index, valueRules) else {
                throw unexpected(
                    "expected label value", at: index, after: previous, isExemplar ? .exemplarValue : .labelValue)
            }
            if !value.isASCII, !isUTF8(index..<value.end) {
                throw error("invalid UTF-8 label value: " + quote(index..<value.end))
            }
            previous = index
            index = skipBlanksIfAllowed(value.end)
            if byte(index) == UInt8(ascii: ",") {
                previous = index
                index = skipBlanksIfAllowed(index + 1)
            } else if grammar == .openMetrics, byte(index) != UInt8(ascii: "}") {
                throw unexpected("expected comma or brace close", at: index, after: previous, names)
            }
        }
    }

    @inline(__always)
    private func skipBlanksIfAllowed(_ index: Int) -> Int {
        grammar.allowsBlanks ? skipBlanks(index) : index
    }
}
