import ConfigTree
import Foundation
import Relabeling
import SeriesModel
import TestSupport

extension FuzzTarget {
    /// Lists of relabelling rules, read and applied.
    static let relabel = FuzzTarget(
        name: "relabel", seeds: RelabelTarget.seeds, words: RelabelTarget.words,
        generate: { random in RelabelTarget.rules(&random) }, makeRun: { RelabelTarget.run })
}

private enum RelabelTarget {
    private static let labels: [LabelSet] = [
        .empty, ["__name__": "up", "job": "a", "instance": "h:1"],
        ["__address__": "h:80", "__meta_x": "1", "__meta_y_z": "é", "__param_q": "1", "a b": "\n"],
    ]

    static func run(_ input: [UInt8]) throws -> Bool {
        let rules: [RelabelRule]
        do throws(ConfigError) {
            let nodes = try ConfigNode.parse(String(decoding: input, as: UTF8.self), file: "rules").sequence()
            rules = try nodes.map { (node) throws(ConfigError) in try RelabelRule(node) }
        } catch {
            if error.message.isEmpty { throw FuzzFinding("an error without a word") }
            return false
        }
        for labels in labels {
            guard let out = rules.apply(to: labels) else { continue }
            guard LabelSet(validating: out.packed) == out else {
                throw FuzzFinding("labels that are none: \(out.packed)")
            }
        }
        for rule in rules { try check(rule) }
        return !rules.isEmpty
    }

    /// What is shown of a rule must be read as the same rule.
    private static func check(_ rule: RelabelRule) throws {
        let yaml = rule.output.yaml
        do {
            let again = try RelabelRule(ConfigNode.parse(yaml, file: "shown"))
            if again != rule { throw FuzzFinding("what is shown is another rule: \(yaml)") }
        } catch let error as ConfigError {
            throw FuzzFinding("what is shown is not taken: \(error): \(yaml)")
        }
    }

    static func seeds() -> [[UInt8]] {
        var seeds = own.map { Array($0.utf8) }
        for test in (try? Conformance.cases("relabel/relabel.json")) ?? [] {
            guard let rules = test["relabel_configs"],
                let json = try? JSONSerialization.data(withJSONObject: rules, options: .withoutEscapingSlashes)
            else { continue }
            seeds.append(Array(json))
        }
        return seeds
    }

    private static let own = [
        "- {source_labels: [job, instance], separator: '@', regex: '(.*)@(.*)', target_label: x, replacement: '$2-${1}'}\n",
        "- {action: labelmap, regex: '__meta_(.+)', replacement: 'm_$1'}\n- {action: labeldrop, regex: 'm_.*'}\n",
        "- {action: hashmod, source_labels: [__address__], modulus: 7, target_label: shard}\n",
        "- source_labels: [__name__]\n  regex: up|down\n  action: keep\n- action: uppercase\n  source_labels: [job]\n"
            + "  target_label: job\n",
        "- {action: keepequal, source_labels: [job], target_label: x}\n- {regex: '', target_label: '${1}a$$'}\n",
    ]

    static let words =
        RelabelRule.Action.allCases.map(\.rawValue) + [
            "- ", "{", "}", "[", "]", ", ", ": ", "\n", "  ", "'", "\"", "action: ", "regex: ", "source_labels: ",
            "separator: ", "target_label: ", "replacement: ", "modulus: ", "$1", "${1}", "$$", "${", "(.*)", "(a|b)+",
            ".",
            "\\d", "[a-z]", "(?i)", "(?P<n>.)", "$n", "job", "__name__", "__address__", "__meta_x", "&a ", "*a", "<<: ",
            "~", "18446744073709551615", "0", "\u{e9}", "!!binary ",
        ]

    static func rules(_ random: inout SeededRandom) -> [UInt8] {
        var text = ""
        for _ in 0..<1 + random.below(4) {
            let source = random.pick(["job", "instance, job", "__address__", "nothing", "__meta_x"])
            let target = random.pick(["job", "x", "${1}_y", "'a b'"])
            let regex = random.pick(["(.*)", "(.+):(.*)", "", "a|b", "(?i)A"])
            text += random.pick([
                "- {source_labels: [\(source)], regex: '\(regex)', target_label: \(target), replacement: 'p-$1'}\n",
                "- {source_labels: [\(source)], regex: '\(regex)', action: \(random.pick(["keep", "drop"]))}\n",
                "- {source_labels: [\(source)], target_label: h, modulus: \(1 + random.below(9)), action: hashmod}\n",
                "- {regex: '\(regex)', action: \(random.pick(["labelmap", "labeldrop", "labelkeep"]))}\n",
            ])
        }
        return Array(text.utf8)
    }
}
