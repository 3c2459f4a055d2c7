private import ConfigTree
package import PromQLSyntax
private import SeriesModel

/// What `hearth check rules FILE` says of a rule file.
package struct RuleCheck: Sendable {
    package var path: String
    package var groupCount = 0
    package var ruleCount = 0
    /// Complaints with `file:line:col`; empty where the file is good.
    package var errors: [String] = []
    /// What is allowed and yet a mistake: `name` and labels the same in several rules.
    package var lints: [String] = []

    /// Reads and checks one file.
    package init(path: String, requiresLegacyNames: Bool = false, syntax: ParserOptions = ParserOptions()) {
        self.path = path
        do throws(RuleFileError) {
            let file = try RuleFile(readingFrom: path, requiresLegacyNames: requiresLegacyNames, syntax: syntax)
            groupCount = file.groups.count
            ruleCount = file.groups.reduce(0) { $0 + $1.rules.count }
            lints = RuleCheck.duplicates(in: file)
        } catch {
            errors = error.errors.map(\.description)
        }
    }

    /// `SUCCESS: 5 rules found`, or `FAILED:` and what is wrong.
    package var report: String {
        if !errors.isEmpty { return "FAILED:\n" + errors.joined(separator: "\n") }
        return "SUCCESS: \(ruleCount) rules found" + lints.map { "\n" + $0 }.joined()
    }

    private static func duplicates(in file: RuleFile) -> [String] {
        struct Identity: Hashable {
            var name: String
            var labels: [Label]
        }
        var counts: [Identity: (count: Int, text: String)] = [:]
        for rule in file.groups.flatMap(\.rules) {
            let text = rule.name + rule.labels.map { "\n\t" + $0.name + ": " + $0.value }.joined()
            counts[Identity(name: rule.name, labels: rule.labels), default: (0, text)].count += 1
        }
        let repeated = counts.values.filter { $0.count > 1 }.map(\.text).sorted()
        if repeated.isEmpty { return [] }
        let heading =
            "\(repeated.count) duplicate rule(s) found: the same name and labels may give the same series, "
            + "with a value that depends on which was evaluated last"
        return [heading] + repeated
    }
}
