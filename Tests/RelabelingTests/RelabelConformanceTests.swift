import ConfigTree
import Foundation
import Regexp
import Relabeling
import SeriesModel
import TestSupport
import Testing

@Suite("Relabelling: conformance vectors")
struct RelabelConformanceTests {
    @Test("label sets come out as upstream's")
    func relabel() throws {
        for test in try Conformance.cases("relabel/relabel.json") {
            let labels = (test["labels"] as? [String: String] ?? [:]).map { Label($0.key, $0.value) }
            let rules = try (test["relabel_configs"] as? [[String: Any]] ?? []).map { fields in
                let json = try JSONSerialization.data(withJSONObject: fields)
                return try RelabelRule(ConfigNode.parse(String(decoding: json, as: UTF8.self), file: "rule"))
            }
            let result = rules.apply(to: LabelSet(labels))
            if test["drop"] as? Bool == true {
                #expect(result == nil, "case \(test["id"] ?? "")")
            } else {
                let wanted = (test["output"] as? [String: String] ?? [:]).map { Label($0.key, $0.value) }
                #expect(result == LabelSet(wanted), "case \(test["id"] ?? "")")
            }
        }
    }

    @Test("rules are validated with upstream's words")
    func validate() throws {
        for test in try Conformance.cases("relabel/validate.json") {
            let config = test["config"] as? [String: Any] ?? [:]
            let error = validationError(config, legacy: test["scheme"] as? String == "legacy")
            if test["ok"] as? Bool == true {
                #expect(error == nil, "case \(test["id"] ?? "")")
            } else if config["action"] != nil {
                // A rule without an action cannot be made at all here.
                #expect(error?.contains(test["error_contains"] as? String ?? "?") == true, "case \(test["id"] ?? "")")
            }
        }
    }

    /// The vectors leave nothing to defaults.
    private func validationError(_ config: [String: Any], legacy: Bool) -> String? {
        do {
            _ = try RelabelRule(
                action: (config["action"] as? String).flatMap(RelabelRule.Action.init) ?? .replace,
                sourceLabels: config["source_labels"] as? [String] ?? [],
                separator: config["separator"] as? String ?? "", regex: Pattern(config["regex"] as? String ?? ""),
                targetLabel: config["target_label"] as? String ?? "",
                replacement: config["replacement"] as? String ?? "", requiresLegacyNames: legacy)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("target labels of the legacy scheme")
    func legacyTargets() throws {
        for test in try Conformance.cases("relabel/target_label_legacy.json") {
            let target = test["target_label"] as? String ?? ""
            let error = validationError(["target_label": target, "replacement": "x"], legacy: true)
            #expect((error == nil) == (test["valid"] as? Bool == true), "\(target)")
        }
    }

    @Test("a rule written out and read again is the same")
    func roundTrip() throws {
        for test in try Conformance.cases("relabel/yaml_roundtrip.json") {
            let rule = try RelabelRule(ConfigNode.parse(test["yaml"] as? String ?? "", file: "rule"))
            let again = try RelabelRule(ConfigNode.parse(rule.output.yaml, file: "again"))
            #expect(again.separator == rule.separator)
            #expect(again.regex.source == rule.regex.source)
            #expect(again.replacement == rule.replacement)
            #expect(again.output.yaml == rule.output.yaml)
        }
    }
}
