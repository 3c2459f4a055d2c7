import PromQLSyntax
import Testing

@Suite struct ParseErrorTests {
    private func findings(_ query: String, _ options: ParserOptions = .everything) -> [String] {
        do throws(ParseError) {
            _ = try Parser.parse(query, options: options)
            return []
        } catch {
            return error.findings.map { "\($0.range.start)-\($0.range.end) \($0.message)" }
        }
    }

    @Test(
        "characters and literals that are none",
        arguments: [
            ("a $ b", "2-5 unexpected character: '$'"),
            ("a;", "1-2 unexpected character: ';'"),
            ("a !b", "2-4 unexpected character after '!': 'b'"),
            ("a =~ b", "2-6 unexpected character after '=': '~'"),
            ("a)", "2-2 unexpected right parenthesis ')'"),
            ("((a)", "4-4 unclosed left parenthesis"),
            ("a]", "1-2 unexpected right bracket ']'"),
            ("2.5.1", "0-5 bad number or duration syntax: \"2.5.\""),
            ("1__0", "0-4 bad number or duration syntax: \"1__\""),
            ("1e", "0-2 bad number or duration syntax: \"1e\""),
            ("0xfg", "0-4 bad number or duration syntax: \"0xf\""),
            ("1e999", "0-5 error parsing number: strconv.ParseFloat: parsing \"1e999\": value out of range"),
            ("0x", "0-2 error parsing number: strconv.ParseFloat: parsing \"0x\": invalid syntax"),
            ("\"a", "0-2 unterminated quoted string"),
            ("\"a\nb\"", "0-5 unterminated quoted string"),
            ("`a", "0-2 unterminated raw string"),
            (#""\q""#, "0-4 unknown escape sequence U+0071 'q'"),
            (#""\xg0""#, "0-6 illegal character U+0067 'g' in escape sequence"),
            (#""\400""#, "0-6 escape sequence is an invalid Unicode code point"),
            (#""\ud800""#, "0-8 escape sequence is an invalid Unicode code point"),
            (#""\x"#, "0-3 escape sequence not terminated"),
        ])
    func lexical(query: String, expected: String) {
        #expect(findings(query) == [expected])
    }

    @Test(
        "tokens that do not fit",
        arguments: [
            ("", "0-0 no expression found in input"),
            ("# nothing", "0-0 no expression found in input"),
            ("1 +", "3-3 unexpected end of input"),
            ("* 1", "0-1 unexpected <op:*>"),
            ("a b", "2-3 unexpected identifier \"b\""),
            ("a b:c", "2-5 unexpected metric identifier \"b:c\""),
            ("a 12345678901", "2-13 unexpected number \"1234567890\"..."),
            ("()", "1-2 unexpected \")\""),
            ("a = b", "2-3 unexpected \"=\""),
            ("bool", "0-4 unexpected <bool>"),
            ("a on(b) c", "2-4 unexpected <on>"),
            ("a + group_left(b) c", "4-14 unexpected <group_left>"),
            ("atan2(1)", "0-5 unexpected <op:atan2>"),
            ("sum a", "4-5 unexpected identifier \"a\""),
            ("sum by a", "7-8 unexpected identifier \"a\" in grouping opts, expected \"(\""),
            ("sum by (a b) (c)", "10-11 unexpected identifier \"b\" in grouping opts, expected \",\" or \")\""),
            ("sum by (1) (c)", "8-9 unexpected number \"1\" in grouping opts, expected label"),
            ("a{b}", "3-4 unexpected \"}\" in label matching, expected label matching operator"),
            ("a{b=c}", "4-5 unexpected identifier \"c\" in label matching, expected string"),
            ("a{,}", "2-3 unexpected \",\" in label matching, expected identifier or \"}\""),
            ("a{b=\"c\" d}", "8-9 unexpected identifier \"d\" in label matching, expected \",\" or \"}\""),
            ("a{b", "3-3 unexpected end of input inside braces"),
            ("a{1}", "2-4 unexpected character inside braces: '1'"),
            ("a{b!c}", "3-6 unexpected character after '!' inside braces: 'c'"),
            ("a{{", "2-3 unexpected left brace '{'"),
            (
                "a[]",
                "2-3 unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()"
            ),
            ("a[b]", "2-4 unexpected character in duration expression: 'b'"),
            ("a[5m b]", "5-7 unexpected character: 'b', expected ':'"),
            ("a[5m", "4-4 unclosed left bracket"),
            ("a[", "2-2 unexpected end of input in duration expression"),
            ("a[5m[", "4-5 unexpected left bracket '['"),
            ("a[:5m]", "3-6 unexpected colon before duration in duration expression"),
            ("a[5m:1m:1m]", "7-11 unexpected colon ':'"),
            ("a[5m,1m]", "4-5 unexpected \",\" in subquery or range, expected \":\" or \"]\""),
            ("a offset", "8-8 unexpected end of input in offset, expected number, duration, step(), or range()"),
            ("a @ b", "4-5 unexpected identifier \"b\" in @, expected timestamp"),
            ("a + fill(1) fill(2) b", "12-16 unexpected <fill>"),
        ])
    func syntactic(query: String, expected: String) {
        #expect(findings(query) == [expected])
    }

    @Test(
        "what the types do not allow",
        arguments: [
            ("1 == 1", ["2-3 comparisons between scalars must use BOOL modifier"]),
            ("a + bool b", ["2-7 bool modifier can only be used on comparison operators"]),
            ("a and 1", ["0-7 set operator \"and\" not allowed in binary scalar expression"]),
            ("\"a\" + b", ["0-3 binary expression must contain only scalar and instant vector types"]),
            ("a + b[5m]", ["4-9 binary expression must contain only scalar and instant vector types"]),
            (
                "-a[5m]",
                [
                    "0-6 unary expression only allowed on expressions of type scalar or instant vector, "
                        + "got \"range vector\""
                ]
            ),
            ("a + on(b) 1", ["0-11 vector matching only allowed between instant vectors"]),
            ("a * on(b) group_left(b) c", ["2-22 label \"b\" must not occur in ON and GROUP clause at once"]),
            (
                "a or on(b) group_left c",
                [
                    "0-23 no grouping allowed for \"or\" operation",
                    "0-23 set operations must always be many-to-many",
                ]
            ),
            ("a and fill(1) b", ["0-15 filling in missing series not allowed for set operators"]),
            ("a + fill(1) 2", ["0-13 filling in missing series only allowed between instant vectors"]),
            ("rate(a)", ["5-6 expected type range vector in call to function \"rate\", got instant vector"]),
            ("rate()", ["0-6 expected 1 argument(s) in call to \"rate\", got 0"]),
            ("round(a, 1, 2)", ["0-14 expected at most 2 argument(s) in call to \"round\", got 3"]),
            ("label_join(a, \"b\")", ["0-18 expected at least 3 argument(s) in call to \"label_join\", got 2"]),
            ("nothing(a)", ["0-7 unknown function with name \"nothing\""]),
            ("abs(a,)", ["5-6 trailing commas not allowed in function call args"]),
            ("sum()", ["0-5 no arguments for aggregate expression provided"]),
            ("sum(a, b)", ["0-9 wrong number of arguments for aggregate expression provided, expected 1, got 2"]),
            ("topk(\"1\", a)", ["5-8 expected type scalar in aggregation parameter, got string"]),
            ("sum(1)", ["4-5 expected type instant vector in aggregation expression, got scalar"]),
            ("{}", ["0-2 vector selector must contain at least one non-empty matcher"]),
            ("{a=~\".*\",b=\"\"}", ["0-14 vector selector must contain at least one non-empty matcher"]),
            ("a{__name__=\"b\"}", ["0-15 metric name must not be set twice: \"a\" or \"b\""]),
            ("a{b=~\"(\"}", ["2-8 error parsing regexp: missing closing ): `(`"]),
            ("a[0s]", ["2-4 duration must be greater than 0"]),
            ("a[5m1h]", ["2-6 not a valid duration string: \"5m1h\"", "2-6 duration must be greater than 0"]),
            ("a[1m/0]", ["4-5 division by zero", "0-0 duration must be greater than 0"]),
            ("(a)[5m]", ["3-7 ranges only allowed for vector selectors"]),
            ("a offset 5m[1m]", ["11-15 no offset modifiers allowed before range"]),
            ("a @ 5[1m]", ["5-9 no @ modifiers allowed before range"]),
            ("a offset 1m offset 2m", ["0-11 offset may not be set multiple times"]),
            ("a @ 1 @ 2", ["0-5 @ <timestamp> may not be set multiple times"]),
            ("a @ Inf", ["0-1 timestamp out of bounds for @ modifier: +Inf"]),
            ("a[5m][5m:]", ["0-10 subquery is only allowed on instant vector, got matrix instead"]),
            ("a[5m] anchored smoothed", ["0-5 anchored and smoothed modifiers cannot be used together"]),
            ("a anchored smoothed", ["0-1 anchored and smoothed modifiers cannot be used together"]),
            ("(a + b) smoothed", ["0-7 smoothed modifier not implemented"]),
            ("sum by (\"\") (a)", ["8-10 invalid label name for grouping: \"\""]),
            (#"a + on ("x\xff") b"#, [#"8-15 invalid label name for grouping: "x\xff""#]),
            ("a[5m:] anchored", ["0-6 anchored modifier is not supported for subqueries"]),
            ("info(a, b)", ["8-9 expected label selectors only, got vector selector instead"]),
            (
                "abs(a) offset 5m",
                [
                    "0-6 offset modifier must be preceded by an instant vector selector or range vector selector or a "
                        + "subquery"
                ]
            ),
        ])
    func types(query: String, expected: [String]) {
        #expect(findings(query) == expected)
    }

    @Test(
        "what is not enabled says how to enable it",
        arguments: [
            ("mad_over_time(a[5m])", "--enable-feature=promql-experimental-functions"),
            ("limitk(1, a)", "--enable-feature=promql-experimental-functions"),
            ("a + fill(1) b", "0-13 binop fill modifiers are experimental and not enabled"),
            ("a + fill(1) b", "--enable-feature=promql-binop-fill-modifiers"),
            ("a[5m] anchored", "0-5 anchored modifier is experimental and not enabled"),
            ("a smoothed", "--enable-feature=promql-extended-range-selectors"),
            ("max_of(1, 2)", "0-6 function \"max_of\" is not enabled"),
        ])
    func notEnabled(query: String, hint: String) throws {
        let found = findings(query, ParserOptions())
        #expect(found.count == 1 && found[0].contains(hint), "\(found)")
        #expect(findings(query).isEmpty)
    }

    @Test("the text of an error gives line and column in bytes")
    func position() {
        func text(_ query: String) -> String {
            do throws(ParseError) {
                return try Parser.parse(query).description
            } catch {
                return error.description
            }
        }
        #expect(text("sum(a) b") == "1:8: parse error: unexpected identifier \"b\"")
        #expect(
            text("sum(\n  a,\n  1\n)") == "1:1: parse error: wrong number of arguments for aggregate expression "
                + "provided, expected 1, got 2")
        #expect(
            text("a\n  + rate(b)") == "2:10: parse error: expected type range vector in call to function \"rate\", "
                + "got instant vector")
        #expect(text("a{b=\"ü\"} c") == "1:11: parse error: unexpected identifier \"c\"")
    }
}
