import ConfigTree
import Regexp
import Relabeling
import SeriesModel
import Testing

@Suite("Relabelling rules")
struct RelabelRuleTests {
    private func rule(_ yaml: String) throws -> RelabelRule {
        try RelabelRule(ConfigNode.parse(yaml, file: "c.yml"))
    }

    private func apply(_ yaml: String, _ labels: LabelSet) throws -> LabelSet? {
        try [rule(yaml)].apply(to: labels)
    }

    @Test("defaults copy the source into the target")
    func defaults() throws {
        let rule = try rule("source_labels: [a]\ntarget_label: b")
        #expect(rule.action == .replace)
        #expect(rule.separator == ";")
        #expect(rule.regex.source == "(.*)")
        #expect(rule.replacement == "$1")
        #expect([rule].apply(to: ["a": "x"]) == ["a": "x", "b": "x"])
    }

    @Test("an empty result removes the target")
    func removal() throws {
        #expect(try apply("{target_label: a, replacement: ''}", ["a": "x", "b": "y"]) == ["b": "y"])
        #expect(try apply("{source_labels: [c], target_label: a}", ["a": "x", "b": "y"]) == ["b": "y"])
    }

    @Test("missing source labels count as empty, joined by the separator")
    func missingSources() throws {
        let yaml = "{source_labels: [a, b, c], separator: '-', target_label: t}"
        #expect(try apply(yaml, ["b": "y"]) == ["b": "y", "t": "-y-"])
    }

    @Test("keep and drop match the whole text, newlines included")
    func anchored() throws {
        #expect(try apply("{source_labels: [a], regex: x, action: keep}", ["a": "xy"]) == nil)
        #expect(try apply("{source_labels: [a], regex: x.y, action: keep}", ["a": "x\ny"]) != nil)
        #expect(try apply("{source_labels: [a], regex: 'x|y', action: drop}", ["a": "y"]) == nil)
    }

    @Test("hashmod takes the low half of the MD5 digest")
    func hashmod() throws {
        // md5("foo\nbar") and md5(""), low eight bytes, modulo 1000 and 2^64 - 1.
        let small = try apply(
            "{source_labels: [a], target_label: t, modulus: 1000, action: hashmod}", ["a": "foo\nbar"])
        #expect(small?["t"] == "734")
        let large = try apply(
            "{source_labels: [z], target_label: t, modulus: 18446744073709551615, action: hashmod}", ["a": "x"])
        #expect(large?["t"] == String(0xE980_0998_ECF8_427E as UInt64))
    }

    @Test("labelmap, labeldrop and labelkeep go by names")
    func names() throws {
        let labels: LabelSet = ["__meta_x": "1", "__meta_y": "2", "z": "3"]
        #expect(
            try apply("{regex: __meta_(.+), action: labelmap}", labels)
                == ["__meta_x": "1", "__meta_y": "2", "z": "3", "x": "1", "y": "2"])
        #expect(try apply("{regex: __meta_.*, action: labeldrop}", labels) == ["z": "3"])
        #expect(try apply("{regex: z, action: labelkeep}", labels) == ["z": "3"])
    }

    @Test("letter case is mapped scalar by scalar, as Go does")
    func letterCase() throws {
        let upper = try apply("{source_labels: [a], target_label: t, action: uppercase}", ["a": "straße ǆ ŉ ᾳ é"])
        #expect(upper?["t"] == "STRAßE Ǆ ŉ ᾼ É")
        let lower = try apply("{source_labels: [a], target_label: t, action: lowercase}", ["a": "ΑΣ İ ẞ"])
        #expect(lower?["t"] == "ασ i ß")
    }

    @Test("a target that comes out as no name changes nothing")
    func badTarget() throws {
        let yaml = "{source_labels: [a], regex: 'x(.*)', target_label: '$1', replacement: y}"
        #expect(try apply(yaml, ["a": "x"]) == ["a": "x"])
        #expect(try apply(yaml, ["a": "x-z"]) == ["a": "x-z", "-z": "y"])
    }

    @Test("rules work in order, and a drop ends them")
    func order() throws {
        let rules = [
            try rule("{source_labels: [a], target_label: b}"), try rule("{source_labels: [b], target_label: c}"),
            try rule("{source_labels: [c], regex: gone, action: drop}"),
        ]
        #expect(rules.apply(to: ["a": "x"]) == ["a": "x", "b": "x", "c": "x"])
        #expect(rules.apply(to: ["a": "gone"]) == nil)
        #expect([RelabelRule]().apply(to: ["a": "x"]) == ["a": "x"])
    }

    @Test(
        "rules that make no sense are refused with upstream's words and their place",
        arguments: [
            ("{action: hashmod, target_label: a}", "relabel configuration for hashmod requires non-zero modulus"),
            ("{action: replace}", "relabel configuration for replace action requires 'target_label' value"),
            ("{action: nonsense}", "unknown relabel action \"nonsense\""),
            ("{action: labeldrop, source_labels: [a]}", "labeldrop action requires only 'regex', and no other fields"),
            ("{action: labelkeep, separator: '-'}", "labelkeep action requires only 'regex', and no other fields"),
            (
                "{action: keepequal, source_labels: [a], target_label: b, regex: x}",
                "keepequal action requires only 'source_labels' and `target_label`, and no other fields"
            ),
            (
                "{action: uppercase, target_label: a, replacement: x}",
                "'replacement' can not be set for uppercase action"
            ),
            ("{action: labelmap, replacement: ''}", "\"\" is invalid 'replacement' for labelmap action"),
            ("{regex: '(', target_label: a}", "error parsing regexp: missing closing ): `(`"),
            ("{target_label: a, nonsense: 1}", "field nonsense not found in type relabel.plain"),
            ("{source_labels: [''], target_label: a}", "\"\" is not a valid label name"),
            ("{target_label: a, modulus: -1}", "cannot unmarshal !!int `-1` into uint64"),
        ])
    func refused(yaml: String, message: String) {
        let error = #expect(throws: ConfigError.self) { try rule(yaml) }
        #expect(error?.message == message)
        #expect(error?.line == 1)
    }

    @Test("the legacy scheme holds names to its alphabet")
    func legacy() throws {
        let node = try ConfigNode.parse("{target_label: a.b}", file: "c.yml")
        #expect(throws: ConfigError.self) { try RelabelRule(node, requiresLegacyNames: true) }
        #expect(throws: Never.self) { try RelabelRule(node) }
    }
}
