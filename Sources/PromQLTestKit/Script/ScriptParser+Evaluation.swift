import PromQLSyntax
import Regexp
import SeriesModel

extension ScriptParser {
    private static let instantPattern = try? Pattern(
        #"eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)"#)
    private static let rangePattern = try? Pattern(
        #"eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)"#)
    private static let rangeVectorPattern = try? Pattern(
        #"expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)"#)
    private static let expectPattern = try? Pattern(
        #"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?"#)

    mutating func evaluation(_ head: String) throws(SyntaxError) -> TestScript.Evaluation {
        var evaluation = try evaluationHead(head)
        let isOldFailure = evaluation.failure != nil
        var position = 0
        while let text = nextInBlock() {
            if isOldFailure, try oldFailureText(text, &evaluation) { return evaluation }
            if text.hasPrefix("expect range vector") {
                try rangeVector(text, &evaluation)
            } else if text.hasPrefix("expect string") {
                try string(text, &evaluation)
            } else if text.prefix(while: { $0 != " " }) == "expect" {
                try expectation(text, &evaluation)
            } else if let number = ScriptParser.number(text) {
                evaluation.result.scalar = number
                try requireOneKind(evaluation.result)
                return evaluation
            } else {
                let series = try notation(text)
                if case .instant = evaluation.time, evaluation.result.rangeVector == nil, series.values.count > 1 {
                    throw error(
                        "an instant evaluation gives one value a series (unless 'expect range vector' stands first)")
                }
                evaluation.result.series[series.labels] = TestScript.ExpectedSeries(
                    line: line, position: position, values: series.values)
                position += 1
            }
            try requireOneKind(evaluation.result)
        }
        return evaluation
    }

    /// A result is a scalar, a string or series: of two expectations one would never be looked at.
    private func requireOneKind(_ result: TestScript.ResultExpectation) throws(SyntaxError) {
        let kinds = [result.scalar != nil, result.string != nil, !result.series.isEmpty || result.rangeVector != nil]
        if kinds.count(where: { $0 }) > 1 { throw error("results of two kinds are expected") }
    }

    private func evaluationHead(_ head: String) throws(SyntaxError) -> TestScript.Evaluation {
        let modifier: String?
        let query: String
        let time: TestScript.Evaluation.Time
        if let groups = ScriptParser.instantPattern?.groups(in: head), groups.count > 3 {
            modifier = groups[1]
            query = groups[3] ?? ""
            time = .instant(try duration(groups[2] ?? ""))
        } else if let groups = ScriptParser.rangePattern?.groups(in: head), groups.count > 5 {
            modifier = groups[1]
            query = groups[5] ?? ""
            let (start, end) = (try duration(groups[2] ?? ""), try duration(groups[3] ?? ""))
            let step = try duration(groups[4] ?? "")
            guard end >= start else { throw error("invalid range: the end is before the start") }
            time = .range(start: start, end: end, step: step)
        } else {
            throw error(
                "invalid evaluation command, must be 'eval[_fail|_warn|_ordered|_info] instant at <time> <query>' or "
                    + "'eval[_fail|_warn|_info] range from <start> to <end> step <step> <query>'")
        }
        var evaluation = TestScript.Evaluation(line: line, query: query, expression: try parsed(query), time: time)
        switch modifier {
        case "fail": evaluation.failure = .failure(.any)
        case "warn": evaluation.warnings = .some([.any])
        case "info": evaluation.infos = .some([.any])
        case "ordered": evaluation.isOrdered = true
        default: break
        }
        return evaluation
    }

    private func parsed(_ query: String) throws(SyntaxError) -> Expression {
        do {
            return try Parser.parse(query, options: .everything)
        } catch {
            throw self.error("\(query): \(error)")
        }
    }

    // MARK: Lines of the block

    private func oldFailureText(
        _ text: String, _ evaluation: inout TestScript.Evaluation
    ) throws(SyntaxError) -> Bool {
        let messagePrefix = "expected_fail_message"
        let patternPrefix = "expected_fail_regexp"
        if text.hasPrefix(messagePrefix) {
            evaluation.failure = .failure(.equal(ScriptParser.trimmed(String(text.dropFirst(messagePrefix.count)))))
            return true
        }
        if text.hasPrefix(patternPrefix) {
            let pattern = ScriptParser.trimmed(String(text.dropFirst(patternPrefix.count)))
            evaluation.failure = .failure(.matching(try self.pattern(pattern)))
            return true
        }
        return false
    }

    private func rangeVector(_ text: String, _ evaluation: inout TestScript.Evaluation) throws(SyntaxError) {
        guard let groups = ScriptParser.rangeVectorPattern?.groups(in: text), groups.count > 3,
            let start = groups[1], let end = groups[2], let step = groups[3]
        else { throw error("must be 'expect range vector from <start> to <end> step <step>'") }
        guard case .instant = evaluation.time else {
            throw error("'expect range vector' is for instant evaluations")
        }
        let times = (start: try duration(start), end: try duration(end), step: try duration(step))
        guard times.end >= times.start else { throw error("invalid range: the end is before the start") }
        evaluation.result.rangeVector = times
        evaluation.time = .instant(times.end)
    }

    private func string(_ text: String, _ evaluation: inout TestScript.Evaluation) throws(SyntaxError) {
        let literal = text.dropFirst("expect string".count)
        let quote = literal.dropFirst().utf8.first
        guard literal.first == " ", quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`"),
            let value = StringUnquoting.unquote(Array(literal.dropFirst().utf8))
        else { throw error("must be 'expect string <quoted text>'") }
        evaluation.result.string = String(decoding: value, as: UTF8.self)
    }

    private func expectation(_ text: String, _ evaluation: inout TestScript.Evaluation) throws(SyntaxError) {
        guard let groups = ScriptParser.expectPattern?.groups(in: text), groups.count > 3,
            let kind = groups[1]
        else {
            throw error(
                "invalid expect statement, must be "
                    + "'expect <ordered|fail|warn|no_warn|info|no_info> [<msg|regex>: <text>]'"
            )
        }
        var wanted = TestScript.TextExpectation.any
        if let wantedText = groups[3].map(ScriptParser.trimmed) {
            wanted = groups[2] == "regex" ? .matching(try pattern(wantedText)) : .equal(wantedText)
        }
        switch kind {
        case "ordered": evaluation.isOrdered = true
        case "fail":
            guard evaluation.failure == nil else { throw error("more than one expected failure") }
            evaluation.failure = .failure(wanted)
        case "warn": evaluation.warnings = try adding(wanted, to: evaluation.warnings)
        case "info": evaluation.infos = try adding(wanted, to: evaluation.infos)
        case "no_warn": evaluation.warnings = try forbidding(evaluation.warnings)
        default: evaluation.infos = try forbidding(evaluation.infos)
        }
    }

    private func adding(
        _ wanted: TestScript.TextExpectation, to expectation: TestScript.AnnotationExpectation
    ) throws(SyntaxError) -> TestScript.AnnotationExpectation {
        switch expectation {
        case .unchecked: .some([wanted])
        case .some(let texts): .some(texts + [wanted])
        case .none: throw error("annotations are expected and forbidden at once")
        }
    }

    private func forbidding(
        _ expectation: TestScript.AnnotationExpectation
    ) throws(SyntaxError) -> TestScript.AnnotationExpectation {
        if case .some = expectation { throw error("annotations are expected and forbidden at once") }
        return .none
    }

    private func pattern(_ source: String) throws(SyntaxError) -> TextPattern {
        do {
            return try TextPattern(source)
        } catch {
            throw self.error("\(error)")
        }
    }

    /// A line that is a number: an integer in Go's syntax, or a float.
    private static func number(_ text: String) -> Double? {
        var digits = text[...]
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits = digits.dropFirst() }
        guard
            digits.utf8.first.map({ $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") })
                ?? false
        else { return nil }
        // A signed NaN is no number.
        if digits.count < text.count, digits.lowercased() == "nan" { return nil }
        return NumberSyntax.parse(String(digits)).map { isNegative ? -$0 : $0 }
    }
}
