import SeriesModel
import Templating
import Testing

@Suite("Templates")
struct TemplateTests {
    /// Expands a label or annotation of an alert named A, for `x{b="c",job="j"} 1234567`.
    private func expand(_ text: String) async -> String {
        let labels: LabelSet = ["__name__": "x", "b": "c", "job": "j"]
        do {
            let template = try AlertTemplate.parse(text, alert: "A")
            let data = AlertTemplate.data(
                labels: labels, value: 1_234_567, externalLabels: ["region": "eu"], externalURL: "http://h:9090")
            return try await template.expand(
                data, in: TemplateEnvironment(timestamp: 60_000, externalURL: "http://h:9090")
            ) { query, _ in
                if query == "bad" { throw TestFailure() }
                return query == "nope" ? [] : [TemplateSample(labels: labels, value: 1_234_567)]
            }
        } catch {
            return "\(error)"
        }
    }

    private struct TestFailure: Error, CustomStringConvertible { let description = "the store is gone" }

    @Test(
        "actions, variables and control structures",
        arguments: [
            (
                "{{ $labels.job }} {{ $value }} {{ $externalLabels.region }} {{ $externalURL }}",
                "j 1.234567e+06 eu http://h:9090"
            ),
            ("[{{ $labels.missing }}]", "[]"),
            ("{{ $x := 1 }}{{ $x = 2 }}{{ $x }}  {{- /* c */ -}}  trimmed", "2trimmed"),
            ("{{ range $i, $e := query \"x\" }}{{ $i }}={{ $e.Value }},{{ end }}", "0=1.234567e+06,"),
            ("{{ range query \"nope\" }}x{{ else }}empty{{ end }}", "empty"),
            ("{{ with $labels.nope }}yes{{ else }}no{{ end }}", "no"),
            ("{{ with $labels.nope }}a{{ else with $labels.job }}b{{ . }}{{ end }}", "bj"),
            ("{{ if gt $value 1.0 }}big{{ else if eq $value 1.0 }}one{{ end }}", "big"),
            ("{{ if and $labels.job (eq $labels.job \"i\" \"j\") }}J{{ end }}", "J"),
            ("{{ or \"\" 0 \"last\" }} {{ and 1 \"\" 2 }} {{ not true }}", "last  false"),
            ("{{ range $i := $labels }}{{ $i }};{{ end }}", "x;c;j;"),
            (
                "{{ range $k, $v := $labels }}{{ if eq $k \"b\" }}{{ continue }}{{ end }}{{ $k }}{{ end }}",
                "__name__job"
            ),
            ("{{ range $i := 5 }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $i }}{{ end }}", "012"),
            (
                "{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.job }}{{ block \"u\" 7 }}{{ . }}{{ end }}",
                "<j>7"
            ),
            ("{{ (query \"x\" | first).Labels.job }}", "j"),
            ("{{ \"a\" | toUpper | printf \"%s-%s\" \"b\" }}", "b-A"),
            ("{{ `raw \\n` }}{{ \"\\u00e9\\n\" }}{{ 'a' }} {{ 0x10 }} {{ 1_000 }} {{ -5 }}", "raw \\né\n97 16 1000 -5"),
            ("{{ index $labels \"job\" }} {{ len \"abc\" }} {{ slice \"abcdef\" 1 3 }}", "j 3 bc"),
            ("{{ . }}", "{map[__name__:x b:c job:j] map[region:eu] http://h:9090 1.234567e+06}"),
        ])
    func actions(text: String, expected: String) async {
        #expect(await expand(text) == expected)
    }

    @Test(
        "values are written as Go writes them",
        arguments: [
            ("{{ 1000000.0 }} {{ 123456.0 }} {{ 0.00001 }} {{ 1e20 }}", "1e+06 123456 1e-05 1e+20"),
            (
                "{{ printf \"%v %5.1f|%-6d|%06.2f|%q|%x|%t|%T|%s|%+d|%e|%g\" 2.0 3.14159 42 3.14159 \"hi\" 255 true 1.5 \"str\" 5 12345.678 1e21 }}",
                "2   3.1|42    |003.14|\"hi\"|ff|true|float64|str|+5|1.234568e+04|1e+21"
            ),
            (
                "{{ printf \"%d\" 1.5 }} {{ printf \"%s %d\" 1 }} {{ printf \"%z\" 1 }} {{ printf \"x\" 1 }}",
                "%!d(float64=1.5) %!s(int=1) %!d(MISSING) %!z(int=1) x%!(EXTRA int=1)"
            ),
            ("{{ print 1 2 \"a\" \"b\" 3 }} {{ $labels }}", "1 2ab3 map[__name__:x b:c job:j]"),
            ("{{ printf \"%.2s|%5s|%-5s|\" \"abc\" \"ab\" \"ab\" }}", "ab|   ab|ab   |"),
            (
                "{{ printf \"%3c|%U|%o|%b|%X|%#x|%08.3f|%+.2e|%6.2f%%\" 65 65 8 5 255 255 3.14159 12345.678 99.5 }}",
                "  A|U+0041|10|101|FF|0xff|0003.142|+1.23e+04| 99.50%"
            ),
            ("{{ html \"<a&b>\" }} {{ js \"it's\" }} {{ urlquery \"a b&c\" }}", "&lt;a&amp;b&gt; it\\'s a+b%26c"),
            ("{{ title \"hello wORLD foo-bar\" }}", "Hello WORLD Foo-Bar"),
            ("{{ reReplaceAll \"a(.)\" \"<$1>\" \"abacad\" }}", "<b><c><d>"),
            ("{{ reReplaceAll \"^a|x*\" \"-\" \"aab\" }}", "-a-b-"),
            ("{{ printf \"%v\" (args 1 \"a\") }}", "map[arg0:1 arg1:a]"),
            (
                "{{ (toTime 1435065584.128).Format \"2006-01-02T15:04:05.000Z07:00 Mon January _2 3:04PM\" }}",
                "2015-06-23T13:19:44.128Z Tue June 23 1:19PM"
            ),
            (
                "{{ (toTime 1435065584.128).Month }} {{ (toTime 951782400).YearDay }} {{ (toTime -1).Weekday }}",
                "June 60 Wednesday"
            ),
            ("{{ toDuration 3661.5 }} {{ toDuration 0.25 }} {{ (toDuration 90).Minutes }}", "1h1m1.5s 250ms 1.5"),
            ("{{ \"web-1.example.com:80\" | stripDomain }} {{ \"[::1]:80\" | stripPort }}", "web-1:80 ::1"),
        ])
    func formatting(text: String, expected: String) async {
        #expect(await expand(text) == expected)
    }

    private static let prefix = "error executing template __alert_A: template: __alert_A:"

    @Test(
        "a failing template says where and why",
        arguments: [
            (
                "{{ if gt $value 1 }}x{{ end }}",
                "1:118: executing \"__alert_A\" at <gt $value 1>: error calling gt: incompatible types for comparison"
            ),
            (
                "{{ first (query \"nope\") }}",
                "1:115: executing \"__alert_A\" at <first (query \"nope\")>: error calling first: first() called on vector with no elements"
            ),
            ("line1\nline2 {{ label 1 2 }}", "2:15: executing \"__alert_A\" at <1>: expected string; found 1"),
            ("{{ .Value.x }}", "1:121: executing \"__alert_A\" at <.Value.x>: can't evaluate field x in type float64"),
            (
                "{{ $labels.job.x }}",
                "1:122: executing \"__alert_A\" at <$labels.job.x>: can't evaluate field x in type string"
            ),
            (
                "{{ template \"q\" }}",
                "1:124: executing \"__alert_A\" at <{{template \"q\"}}>: template \"q\" not defined"
            ),
            (
                "{{ toUpper }}",
                "1:115: executing \"__alert_A\" at <toUpper>: wrong number of args for toUpper: want 1 got 0"
            ),
            (
                "{{ parseDuration \"foo\" }}",
                "1:115: executing \"__alert_A\" at <parseDuration \"foo\">: error calling parseDuration: not a valid duration string: \"foo\""
            ),
            (
                "{{ range $v := .Value }}{{ end }}",
                "1:127: executing \"__alert_A\" at <.Value>: range can't iterate over 1.234567e+06"
            ),
            (
                "{{ $value | label \"x\" }}",
                "1:130: executing \"__alert_A\" at <\"x\">: wrong type for value; expected *template.sample; got float64"
            ),
            ("{{ len 3 }}", "1:115: executing \"__alert_A\" at <len 3>: error calling len: len of type int"),
            (
                "{{ index (query \"x\") 5 }}",
                "1:115: executing \"__alert_A\" at <index (query \"x\") 5>: error calling index: index out of range: 5"
            ),
            (
                "{{ query \"bad\" }}",
                "1:115: executing \"__alert_A\" at <query \"bad\">: error calling query: the store is gone"
            ),
        ])
    func executionErrors(text: String, expected: String) async {
        #expect(await expand(text) == Self.prefix + expected)
    }

    @Test(
        "a text that is no template is refused with its line",
        arguments: [
            ("{{", "1: unclosed action"),
            ("a\n{{ foo }}", "2: function \"foo\" not defined"),
            ("{{ $nope }}", "1: undefined variable \"$nope\""),
            ("{{ if true }}", "1: unexpected EOF"),
            ("{{ end }}", "1: unexpected {{end}}"),
            ("{{ $labels.quantile * 100 }}", "1: unexpected \"*\" in operand"),
            ("{{ }}", "1: missing value for command"),
            ("{{ 1 | 2 }}", "1: non executable command in pipeline stage 2"),
            ("{{ \"a }}", "1: unterminated quoted string"),
            ("{{ (1 }}", "1: unclosed left paren"),
            ("{{/* a", "1: unclosed comment"),
            ("{{ break }}", "1: {{break}} outside {{range}}"),
            ("{{ 1abc }}", "1: bad number syntax: \"1abc\""),
            ("{{ \"a\".b }}", "1: unexpected . after term \"\\\"a\\\"\""),
        ])
    func parseErrors(text: String, expected: String) async {
        #expect(await expand(text) == "error parsing template __alert_A: template: __alert_A:" + expected)
    }

    @Test(
        "no template can run, nest or write without end",
        arguments: [
            (
                "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}", 1,
                "exceeded maximum template depth"
            ),
            ("{{ range $i := 1000000000 }}{{ end }}", 1, "takes more than"),
            ("{{ range $i := 100000 }}{{ printf \"%1000d\" $i }}{{ end }}", 1, "output is longer than"),
            ("{{ printf \"%99999999d\" 1 }}", 1, "width out of range"),
            ("{{ if true }}", 2000, "levels deep"),
            ("{{ (", 1, "unclosed action"),
            ("{{/**/}}{{/**/}}", 50_000, ""),
        ])
    func limits(unit: String, count: Int, expected: String) async {
        let outcome = await expand(String(repeating: unit, count: count))
        #expect(expected.isEmpty ? outcome.isEmpty : outcome.contains(expected))
    }
}
