package import SeriesModel

/// A rule file as read: groups of rules, all checked, none evaluated yet.
package struct RuleFile: Sendable {
    /// The path as configured; with a group's name the identity of the group.
    package var path: String
    package var groups: [RuleGroupDefinition]

    package init(path: String, groups: [RuleGroupDefinition]) {
        self.path = path
        self.groups = groups
    }
}

/// Rules that are evaluated together, in order, at one time.
package struct RuleGroupDefinition: Sendable, Hashable {
    package var name: String
    /// ms; nil for the global evaluation interval.
    package var interval: Int64?
    /// ms back in time at which the rules are evaluated; nil for the global one.
    package var queryOffset: Int64?
    /// Most series, or alerts, a rule may give; 0 for no limit.
    package var limit = 0
    package var rules: [RuleDefinition] = []

    package init(name: String) { self.name = name }
}

/// One rule. Labels are those of the group and the rule together.
package struct RuleDefinition: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case recording
        /// Times in ms. Annotations and the rule's labels are templates.
        case alerting(hold: Int64, keepFiringFor: Int64, annotations: LabelSet)
    }

    /// The metric that is recorded, or the alert's name.
    package var name: String
    /// The expression as the printer writes it.
    package var query: String
    /// By name, each name once. An empty value takes a label away from what the query gives.
    package var labels: [Label]
    package var kind: Kind

    package init(name: String, query: String, labels: [Label], kind: Kind) {
        self.name = name
        self.query = query
        self.labels = labels
        self.kind = kind
    }
}
