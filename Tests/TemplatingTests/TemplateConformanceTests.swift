import Foundation
import SeriesModel
import Templating
import TestSupport
import Testing

@Suite("Templates: the conformance vectors")
struct TemplateConformanceTests {
    @Test("every template of the corpus expands, or fails, to the letter")
    func expansion() async throws {
        for vector in try Conformance.cases("template/expand.json") {
            let text = vector["text"] as? String ?? ""
            let samples = (vector["query_result"] as? [[String: Any]] ?? []).map(Self.sample)
            var environment = TemplateEnvironment(
                timestamp: 1_353_755_652_000, externalURL: "http://testhost:9090/path/prefix")
            environment.escapesHTML = vector["html"] as? Bool ?? false
            if (vector["options"] as? [String] ?? []).contains("missingkey=error") { environment.missingKey = .error }
            let outcome: String
            do {
                let template = try Template(text, name: "test")
                outcome = try await template.expand(
                    Self.value(vector["input"] as? [String: Any]), in: environment
                ) { _, _ in samples }
            } catch {
                outcome = "\(error)"
            }
            let expected = vector["output"] as? String ?? vector["error"] as? String ?? ""
            #expect(outcome == expected, "case \(vector["id"] ?? "?"): \(text)")
        }
    }

    @Test("links lead to the query page")
    func links() async throws {
        for vector in try Conformance.cases("template/links.json") {
            let expression = vector["expr"] as? String ?? ""
            let template = try Template("{{ graphLink . }} {{ tableLink . }}", name: "test")
            let text = try await template.expand(
                .string(expression), in: TemplateEnvironment(timestamp: 0, externalURL: "")
            ) { _, _ in [] }
            #expect(text == "\(vector["graph_link"] ?? "") \(vector["table_link"] ?? "")")
        }
    }

    private static func sample(_ json: [String: Any]) -> TemplateSample {
        let labels = json["labels"] as? [String: String] ?? [:]
        if let histogram = json["histogram"] as? [String: Any] {
            return TemplateSample(labels: labels, value: .string(text(histogram)))
        }
        return TemplateSample(labels: labels, value: json["value"] as? Double ?? 0)
    }

    private static func text(_ histogram: [String: Any]) -> String {
        "{count:\(histogram["count"] ?? 0), sum:\(histogram["sum"] ?? 0)}"
    }

    private static func value(_ input: [String: Any]?) -> TemplateValue {
        guard let input, let type = input["type"] as? String else { return .none }
        if type == "native_histogram" {
            return .sample(TemplateSample(labels: [:], value: .string(text(input))))
        }
        if type.hasPrefix("[]") {
            return .list((input["value"] as? [Any] ?? []).map { scalar($0, String(type.dropFirst(2))) })
        }
        return scalar(input["value"] ?? "", type)
    }

    private static func scalar(_ value: Any, _ type: String) -> TemplateValue {
        let text = value as? String
        switch type {
        case "string": return .string(text ?? "")
        case "float64": return .float(text.flatMap(NumberText.parse) ?? value as? Double ?? 0)
        case "uint", "uint64": return .uint(text.flatMap { UInt64($0) } ?? 0)
        default: return .int(text.flatMap { Int64($0) } ?? 0)
        }
    }
}
