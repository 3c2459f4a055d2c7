import PromQLSyntax
import Testing

@Suite struct DurationExpressionTests {
    /// The width of `a[text]` with a step of 10 s and a range of 100 s, in seconds.
    private func width(_ text: String) throws -> Double {
        guard case .matrixSelector(let node) = try Parser.parse("a[\(text)]", options: .everything) else { return .nan }
        guard let expression = node.widthExpression else { return Double(node.width) / 1000 }
        return try expression.evaluate(step: 10, range: 100)
    }

    @Test(
        "arithmetic with durations, numbers, step and range",
        arguments: [
            ("5m", 300), ("300", 300), ("5m*2", 600), ("5m + 30", 330), ("1h - 30m", 1800), ("2^3^2", 512),
            ("7 % 4", 3), ("1m / 4", 15), ("(1m + 30s) * 2", 180), ("step()", 10), ("range() / 4", 25),
            ("-5m + 10m", 300), ("min_of(step(), 5s)", 5), ("max_of(range(), 5s) + 1", 101), ("+5m", 300),
            ("-step() + 20", 10), ("-2^2 + 10", 6), ("MIN_OF(1, 2)", 1),
        ])
    func evaluation(text: String, expected: Double) throws {
        #expect(try width(text) == expected)
    }

    @Test("dividing by what turns out to be zero fails")
    func zero() throws {
        guard case .matrixSelector(let node) = try Parser.parse("a[1m / step()]"), let width = node.widthExpression
        else {
            Issue.record("no expression")
            return
        }
        #expect(throws: DurationExpression.EvaluationError.divisionByZero) { try width.evaluate(step: 0, range: 0) }
        guard case .matrixSelector(let rest) = try Parser.parse("a[1m % step()]"), let width = rest.widthExpression
        else {
            Issue.record("no expression")
            return
        }
        #expect(throws: DurationExpression.EvaluationError.moduloByZero) { try width.evaluate(step: 0, range: 0) }
    }

    @Test("an offset takes one term, or an expression in parentheses")
    func offset() throws {
        func parts(_ query: String) throws -> String {
            switch try Parser.parse(query, options: .everything) {
            case .vectorSelector(let node): node.shift.description
            case .binary(let node): "binary " + node.left.description
            default: "other"
            }
        }
        #expect(try parts("a offset 5m * 2") == "binary a offset 5m")
        #expect(try parts("a offset (5m * 2)") == " offset (5m * 2)")
        #expect(try parts("a offset -step()") == " offset -step()")
        #expect(try parts("a offset min_of(1m, step())") == " offset min_of(1m, step())")
    }
}
