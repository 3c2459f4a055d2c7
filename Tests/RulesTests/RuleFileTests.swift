import ConfigTree
import Rules
import SeriesModel
import Testing

@Suite("Rule files")
struct RuleFileTests {
    @Test("a good file gives its groups, with labels of group and rule together")
    func good() throws {
        let file = try RuleFile(
            parsing: """
                groups:
                  - name: g
                    interval: 30s
                    query_offset: 1m
                    limit: 5
                    labels: {team: a, tier: x}
                    rules:
                      - record: job:up:sum
                        expr: "sum by (job) (up)"
                        labels: {tier: y}
                      - alert: Down
                        expr: up==0
                        for: 5m
                        keep_firing_for: 2m
                        annotations: {summary: "{{ $labels.job }}"}
                """, path: "r.yml")
        let group = try #require(file.groups.first)
        #expect(group.interval == 30_000 && group.queryOffset == 60_000 && group.limit == 5)
        #expect(group.rules.map(\.query) == ["sum by (job) (up)", "up == 0"])
        #expect(group.rules.first?.labels == [Label("team", "a"), Label("tier", "y")])
        #expect(
            group.rules.last?.kind
                == .alerting(hold: 300_000, keepFiringFor: 120_000, annotations: ["summary": "{{ $labels.job }}"]))
    }

    @Test(
        "what is wrong is said with its place",
        arguments: [
            (
                "groups:\n- name: a\n  rules:\n  - expr: 1",
                "r.yml:4:5: group \"a\", rule 1, \"\": one of 'record' or 'alert' must be set"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - alert: A\n    record: b\n    expr: 1",
                "r.yml:5:13: group \"a\", rule 1, \"b\": only one of 'record' and 'alert' must be set"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - alert: A",
                "r.yml:4:5: group \"a\", rule 1, \"A\": field 'expr' must be set in rule"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: rate(x)",
                "r.yml:5:11: group \"a\", rule 1, \"A\": could not parse expression: 1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - record: b\n    expr: 1\n    for: 1m",
                "r.yml:6:10: group \"a\", rule 1, \"b\": invalid field 'for' in recording rule"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - record: b\n    expr: 1\n    keep_firing_for: 1m",
                "r.yml:6:22: group \"a\", rule 1, \"b\": invalid field 'keep_firing_for' in recording rule"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - record: b\n    expr: 1\n    annotations: {c: d}",
                "r.yml:6:18: group \"a\", rule 1, \"b\": invalid field 'annotations' in recording rule"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - record: b{}\n    expr: 1",
                "r.yml:4:13: group \"a\", rule 1, \"b{}\": braces present in the recording rule name; should it be in expr?: b{}"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - record: b\n    expr: 1\n    labels: {__name__: c}",
                "r.yml:6:14: group \"a\", rule 1, \"b\": invalid label name: __name__"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: 1\n    labels:\n      x: '{{ $y }}'",
                "r.yml:7:10: group \"a\", rule 1, \"A\": label \"x\": template: __alert_A:1: undefined variable \"$y\""
            ),
            (
                "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: 1\n    annotation: {}",
                "r.yml:6:5: field annotation not found in type rulefmt.Rule"
            ),
            ("groups:\n- name: a\n- name: a", "r.yml:3:9: groupname: \"a\" is repeated in the same file"),
            ("groups:\n- name: ''", "r.yml:2:9: groupname must not be empty"),
            ("groups:\n- name: a\n  interval: fast", "r.yml:3:13: not a valid duration string: \"fast\""),
            ("group: []", "r.yml:1:1: field group not found in type rulefmt.RuleGroups"),
            ("groups: [", "r.yml:"),
        ])
    func wrong(yaml: String, expected: String) {
        do {
            _ = try RuleFile(parsing: yaml, path: "r.yml")
            Issue.record("accepted: \(yaml)")
        } catch {
            #expect(error.description.hasPrefix(expected), "\(error)")
        }
    }

    @Test("several mistakes are reported together")
    func together() {
        let yaml = "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: (\n  - record: b\n    expr: 1\n    for: 1m"
        do {
            _ = try RuleFile(parsing: yaml, path: "r.yml")
            Issue.record("accepted")
        } catch {
            #expect(error.errors.map(\.line) == [5, 8])
        }
    }

    @Test(
        "of several documents only the first counts",
        arguments: [
            "# note\n---\ngroups: [{name: a}]\n---\ngroups: [{name: b}]\n", "groups: [{name: a}]\n...\nrubbish: [",
        ])
    func documents(yaml: String) throws {
        #expect(try RuleFile(parsing: yaml, path: "r.yml").groups.map(\.name) == ["a"])
    }

    @Test("an empty file has no groups", arguments: ["", "groups:", "{}"])
    func empty(yaml: String) throws {
        #expect(try RuleFile(parsing: yaml, path: "r.yml").groups.isEmpty)
    }

    @Test("a file that is not there says so")
    func missing() {
        let check = RuleCheck(path: "/nonexistent/r.yml")
        #expect(check.report.hasPrefix("FAILED:\n"))
        #expect(check.report.lowercased().contains("no such file"))
    }
}
