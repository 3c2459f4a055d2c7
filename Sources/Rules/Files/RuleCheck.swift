private import ConfigTree
package import PromQLSyntax
package import SeriesModel

/// What `hearth check rules FILE` says of a rule file.
package struct RuleCheck: Sendable {
    package var path: String
    package var groupCount = 0
    package var ruleCount = 0
    /// Complaints with `file:line:col`; empty where the file is good.
    package var errors: [String] = []
    /// What is allowed and yet a mistake: `name` and labels the same in several rules.
    package var lints: [String] = []

    /// A name with labels that several rules have.
    package struct Duplicate: Hashable, Sendable {
        package var name: String
        package var labels: [Label]
    }

    /// By name and labels, each once.
    package var duplicates: [Duplicate] = []

    /// Reads and checks one file.
    package init(
        path: String, requiresLegacyNames: Bool = false, ignoresUnknownFields: Bool = false,
        syntax: ParserOptions = ParserOptions()
    ) {
        self.path = path
        do throws(RuleFileError) {
            let file = try RuleFile(
                readingFrom: path, requiresLegacyNames: requiresLegacyNames,
                ignoresUnknownFields: ignoresUnknownFields, syntax: syntax)
            groupCount = file.groups.count
            ruleCount = file.groups.reduce(0) { $0 + $1.rules.count }
            duplicates = RuleCheck.duplicates(in: file)
            lints = RuleCheck.lines(duplicates)
        } catch {
            errors = error.errors.map(\.description)
        }
    }

    /// `SUCCESS: 5 rules found`, or `FAILED:` and what is wrong.
    package var report: String {
        if !errors.isEmpty { return "FAILED:\n" + errors.joined(separator: "\n") }
        return "SUCCESS: \(ruleCount) rules found" + lints.map { "\n" + $0 }.joined()
    }

    private static func duplicates(in file: RuleFile) -> [Duplicate] {
        var counts: [Duplicate: Int] = [:]
        for rule in file.groups.flatMap(\.rules) {
            counts[Duplicate(name: rule.name, labels: rule.labels), default: 0] += 1
        }
        return counts.filter { $0.value > 1 }.keys.sorted {
            $0.name == $1.name ? $0.labels.lexicographicallyPrecedes($1.labels) : $0.name < $1.name
        }
    }

    private static func lines(_ duplicates: [Duplicate]) -> [String] {
        if duplicates.isEmpty { return [] }
        let heading =
            "\(duplicates.count) duplicate rule(s) found: the same name and labels may give the same series, "
            + "with a value that depends on which was evaluated last"
        return [heading]
            + duplicates.map { rule in
                rule.name + rule.labels.map { "\n\t" + $0.name + ": " + $0.value }.joined()
            }
    }
}
