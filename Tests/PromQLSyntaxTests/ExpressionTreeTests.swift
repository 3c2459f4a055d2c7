import PromQLSyntax
import SeriesModel
import Testing

@Suite struct ExpressionTreeTests {
    /// The tree with every operator in parentheses.
    private func shape(_ expression: Expression) -> String {
        switch expression {
        case .number, .string, .vectorSelector, .matrixSelector: expression.description
        case .unary(let node): (node.isNegation ? "-" : "+") + shape(node.operand)
        case .binary(let node): "(" + shape(node.left) + " \(node.operation.rawValue) " + shape(node.right) + ")"
        case .parenthesized(let node): "[" + shape(node.expression) + "]"
        case .subquery(let node): "sub " + shape(node.expression)
        case .call(let node): node.function.name + "<" + node.arguments.map(shape).joined(separator: ",") + ">"
        case .aggregate(let node): node.operation.rawValue + "<" + shape(node.expression) + ">"
        }
    }

    private func parse(_ query: String) throws -> Expression { try Parser.parse(query, options: .everything) }

    @Test(
        "operators bind by precedence and group to the left, powers to the right",
        arguments: [
            ("1 + 2 * 3", "(1 + (2 * 3))"), ("1 - 2 - 3", "((1 - 2) - 3)"), ("2 ^ 3 ^ 4", "(2 ^ (3 ^ 4))"),
            ("-2 ^ 2", "-(2 ^ 2)"), ("-a * b", "(-a * b)"), ("2 ^ -a", "(2 ^ -a)"), ("--a", "--a"),
            ("a or b and c unless d", "(a or ((b and c) unless d))"), ("a == b + c", "(a == (b + c))"),
            ("a > b and c < d", "((a > b) and (c < d))"), ("a % b atan2 c", "((a % b) atan2 c)"),
            ("a </ 1 + b", "(a </ (1 + b))"), ("(a + b) * c", "([(a + b)] * c)"),
            ("sum(a) by (b) / count(c)", "(sum<a> / count<c>)"),
            ("rate(a[5m:1m] offset 1m) + 1", "(rate<sub a> + 1)"), ("a offset 1m + b", "(a offset 1m + b)"),
            ("A AND b OR c", "((A and b) or c)"), ("and and and", "(and and and)"), ("-1", "-1"),
            ("- 1 + 2", "(-1 + 2)"),
            ("sum", "sum"), ("offset offset 5m", "offset offset 5m"), ("fill + fill", "(fill + fill)"),
        ])
    func precedence(query: String, expected: String) throws {
        #expect(try shape(parse(query)) == expected)
    }

    @Test("a selector has its matchers, the name as the last")
    func selector() throws {
        guard case .vectorSelector(let node) = try parse(#"up{a="1", 'b'!=`2`, "c.d"=~"3|4", on!~"5",}"#) else {
            Issue.record("no selector")
            return
        }
        #expect(node.name == "up")
        #expect(
            node.matchers.map(\.description) == [
                #"a="1""#, #"b!="2""#, #""c.d"=~"3|4""#, #"on!~"5""#, #"__name__="up""#,
            ])
        guard case .vectorSelector(let quoted) = try parse(#"{"a.b", c="d"}"#) else {
            Issue.record("no selector")
            return
        }
        #expect(quoted.name.isEmpty)
        #expect(quoted.matchers.map(\.description) == [#"__name__="a.b""#, #"c="d""#])
    }

    @Test("offsets and @ come in any order and on subqueries")
    func shifts() throws {
        for query in ["a offset 5m @ 10", "a @ 10 offset 5m"] {
            guard case .vectorSelector(let node) = try parse(query) else {
                Issue.record("no selector")
                return
            }
            #expect(node.shift.offset == 300_000 && node.shift.at == .timestamp(10_000))
            #expect(node.range == SourceRange(0, 16))
        }
        guard case .matrixSelector(let matrix) = try parse("a[300] @ -1.5 offset -1m") else {
            Issue.record("no matrix selector")
            return
        }
        #expect(matrix.width == 300_000 && matrix.selector.shift.offset == -60_000)
        #expect(matrix.selector.shift.at == .timestamp(-1500))
        guard case .subquery(let subquery) = try parse("a[1h:30s] @ end() offset 1d") else {
            Issue.record("no subquery")
            return
        }
        #expect(subquery.width == 3_600_000 && subquery.step == 30_000)
        #expect(subquery.shift.at == .end && subquery.shift.offset == 86_400_000)
    }

    @Test("vector matching")
    func matching() throws {
        guard case .binary(let node) = try parse("a == bool on (b, \"c.d\") group_left (e,) fill_left (-1) f") else {
            Issue.record("no binary")
            return
        }
        let matching = try #require(node.matching)
        #expect(node.returnsBool && matching.isOn && matching.labels == ["b", "c.d"] && matching.include == ["e"])
        #expect(matching.cardinality == .manyToOne && matching.fillLeft == -1 && matching.fillRight == nil)
        guard case .binary(let set) = try parse("a and ignoring() b"), case .binary(let scalar) = try parse("a + 1")
        else {
            Issue.record("no binary")
            return
        }
        #expect(set.matching?.cardinality == .manyToMany && set.matching?.isOn == false)
        #expect(scalar.matching == nil)
    }

    @Test("a word with a colon is a label where labels are listed")
    func colonLabel() throws {
        guard case .aggregate(let node) = try parse("sum by (a:b, sum) (c)") else {
            Issue.record("no aggregation")
            return
        }
        #expect(node.grouping == ["a:b", "sum"])
    }

    @Test(
        "durations are whole milliseconds, what is beyond does not count",
        arguments: [("1.0019", 1001), ("0.29", 290), ("1.001", 1001), ("2.9999999999", 3000), ("0.0009", 0)])
    func milliseconds(text: String, expected: Int64) throws {
        guard case .vectorSelector(let node) = try parse("a offset \(text)") else {
            Issue.record("no selector")
            return
        }
        #expect(node.shift.offset == expected)
    }

    @Test("value types follow from the parts")
    func valueTypes() throws {
        let types: [(String, ValueType)] = [
            ("1", .scalar), ("5m", .scalar), ("\"a\"", .string), ("a", .vector), ("a[5m]", .matrix),
            ("a[5m:]", .matrix),
            ("1 + 2", .scalar), ("1 + a", .vector), ("-(1)", .scalar), ("time()", .scalar), ("sum(a)", .vector),
            ("scalar(a)", .scalar), ("vector(1)", .vector),
        ]
        for (query, type) in types { #expect(try parse(query).valueType == type, "\(query)") }
    }

    @Test(
        "numbers and durations",
        arguments: [
            ("1", 1), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("0x1F", 31), ("0755", 493), ("1_000", 1000),
            ("1_000.5", 1000.5), ("Inf", .infinity), ("+inf", .infinity), ("-Inf", -.infinity), ("5m", 300),
            ("1h30m", 5400), ("250ms", 0.25), ("-1m", -60),
        ])
    func numbers(text: String, expected: Double) throws {
        guard case .number(let node) = try parse(text) else {
            Issue.record("no number")
            return
        }
        #expect(node.value == expected)
    }

    @Test("not a number is that")
    func notANumber() throws {
        guard case .number(let node) = try parse("nAn") else {
            Issue.record("no number")
            return
        }
        #expect(node.value.isNaN)
    }

    @Test("string literals keep bytes that are no text")
    func stringBytes() throws {
        guard case .string(let node) = try parse(#""a\xc5z""#) else {
            Issue.record("no string")
            return
        }
        #expect(node.bytes == [0x61, 0xC5, 0x7A] && !node.isValidUTF8)
        #expect(Expression.string(node).description == #""a\xc5z""#)
    }

    @Test("a match[] selector takes a selector and nothing else")
    func matchSelector() throws {
        #expect(try Parser.parseSelector("up{a=\"b\"}").map(\.description) == ["a=\"b\"", "__name__=\"up\""])
        #expect(try Parser.parseSelector("{}").isEmpty)
        #expect(try Parser.parseSelector("{\"a.b\"}").map(\.description) == ["__name__=\"a.b\""])
        for text in ["", "up offset 5m", "rate(up[5m])", "up + 1", "1", "up[5m]"] {
            #expect(throws: ParseError.self, "\(text)") { try Parser.parseSelector(text) }
        }
    }

    @Test("a metric at the beginning of a text is read, the rest is not")
    func metricPrefix() throws {
        func read(_ text: String) throws -> String {
            let (labels, count) = try Parser.parseMetricPrefix(text)
            return "\(labels) \(count)"
        }
        #expect(try read("up{a=\"b\"} 1 2") == "{__name__=\"up\", a=\"b\"} 9")
        #expect(try read("up 1 $%&") == "{__name__=\"up\"} 2")
        #expect(try read("{} x") == "{} 2")
    }
}
