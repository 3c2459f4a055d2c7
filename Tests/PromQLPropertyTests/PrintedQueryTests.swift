import PromQLSyntax
import RandomPromQL
import TestSupport
import Testing

/// What the printer writes, on one line or broken into many, is the query.
@Suite("Random queries, printed") struct PrintedQueryTests {
    /// Out of reach of the generator, because upstream's printer has the same holes: `Inf ^ 2` is printed as
    /// `+Inf ^ 2`, which is `+(Inf ^ 2)`; a range of less than a millisecond is printed as `0s`.
    @Test(
        "a query that is printed and parsed is the same, and printing it again gives the same text",
        arguments: Seeds.fixed(8))
    func roundTrip(seed: UInt64) throws {
        var options = ExpressionGenerator.Options(times: 0...2_000_000_000_000)
        options.depthMax = 5
        options.decorates = true
        var generator = ExpressionGenerator(options, seed: seed)
        for _ in 0..<250 {
            let query = generator.anyExpression()
            let place = "HEARTH_SEED=\(seed) query: \(query)"
            let expression: Expression
            do {
                expression = try Parser.parse(query, options: .everything)
            } catch {
                Issue.record("\(error); \(place)")
                continue
            }
            try check(expression, expression.description, place)
            try check(expression, expression.pretty, place)
        }
    }

    private func check(_ expression: Expression, _ text: String, _ place: String) throws {
        do {
            let again = try Parser.parse(text, options: .everything)
            #expect(again.tree == expression.tree, "printed: \(text); \(place)")
            #expect(again.description == expression.description, "\(place)")
            #expect(again.pretty == expression.pretty, "\(place)")
        } catch {
            Issue.record("\(error); printed: \(text); \(place)")
        }
    }
}
