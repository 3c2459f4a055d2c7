import Foundation
import Regexp
import Relabeling
import SeriesModel

/// `targets/relabel_steps` and `scrape_pools/config`: what a scrape pool is told to do, for a page that shows why a
/// target has the labels it has.
extension APIRoutes {
    /// The rules of a pool one after the other, with the labels that each leaves; none behind one that drops them.
    func relabelSteps(_ request: APIRequest) async throws -> APIResponse {
        let pool = try scrapePoolName(request)
        let text = request.form["labels"]
        guard !text.isEmpty else { throw APIError(.badData, "no labels parameter provided") }
        let labels: [String: String]
        do {
            labels = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        } catch {
            throw APIError(.badData, "error parsing labels: \(APIRoutes.reason(error))")
        }
        guard let rules = await services.relabelRules(pool) else { throw unknownScrapePool(pool) }
        let steps = APIRoutes.steps(rules, LabelSet(labels.map { Label($0.key, $0.value) }))
        return .success { writer in
            writer.object { writer in
                writer.key("steps")
                writer.array(of: steps) { writer, step in
                    writer.object { writer in
                        writer.key("rule")
                        APIRoutes.write(step.rule, to: &writer)
                        writer.field("output", labels: step.output)
                        writer.key("keep")
                        writer.boolean(step.isKept)
                    }
                }
            }
        }
    }

    func scrapePoolConfiguration(_ request: APIRequest) async throws -> APIResponse {
        let pool = try scrapePoolName(request)
        guard let yaml = await services.scrapePoolConfiguration(pool) else { throw unknownScrapePool(pool) }
        return .success { writer in writer.object { $0.field("yaml", yaml) } }
    }

    func scrapePoolName(_ request: APIRequest) throws -> String {
        let pool = request.form["scrapePool"]
        guard !pool.isEmpty else { throw APIError(.badData, "no scrapePool parameter provided") }
        return pool
    }

    private func unknownScrapePool(_ name: String) -> APIError {
        APIError(.badData, "error retrieving scrape config: scrape pool \(GoQuote.quote(name)) not found")
    }

    private static func reason(_ error: any Error) -> String {
        guard case DecodingError.typeMismatch? = error as? DecodingError else { return "not a JSON object" }
        return "names and values must be strings"
    }

    private static func steps(
        _ rules: [RelabelRule], _ labels: LabelSet
    ) -> [(rule: RelabelRule, output: LabelSet, isKept: Bool)] {
        var builder = LabelSetBuilder(labels)
        var isKept = true
        return rules.map { rule in
            isKept = isKept && rule.apply(to: &builder)
            return (rule, isKept ? builder.build() : .empty, isKept)
        }
    }

    /// The fields that are not empty, under upstream's names.
    private static func write(_ rule: RelabelRule, to writer: inout JSONWriter) {
        writer.object { writer in
            if !rule.sourceLabels.isEmpty { writer.field("sourceLabels", array: rule.sourceLabels) }
            if !rule.separator.isEmpty { writer.field("separator", rule.separator) }
            writer.field("regex", rule.regex.source)
            if rule.modulus != 0 { writer.field("modulus", integer: rule.modulus) }
            if !rule.targetLabel.isEmpty { writer.field("targetLabel", rule.targetLabel) }
            if !rule.replacement.isEmpty { writer.field("replacement", rule.replacement) }
            writer.field("action", rule.action.rawValue)
        }
    }
}
