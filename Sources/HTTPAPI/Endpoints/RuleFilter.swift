import PromQLSyntax
import Rules
import SeriesModel

/// Which rules `/api/v1/rules` shows. It reads the URL only.
struct RuleFilter {
    /// `type=alert` or `type=record`; nil for both.
    private let showsAlerting: Bool?
    let excludesAlerts: Bool
    private let names: Set<String>
    private let groups: Set<String>
    private let files: Set<String>
    /// A rule's own labels must satisfy one of the lists.
    private let matchers: [[LabelMatcher]]

    init(_ request: APIRequest) throws(APIError) {
        let type = request.query["type"].lowercased()
        switch type {
        case "": showsAlerting = nil
        case "alert": showsAlerting = true
        case "record": showsAlerting = false
        default: throw .invalidParameter("type", "not supported value \(GoQuote.quote(type))")
        }
        switch request.query["exclude_alerts"].lowercased() {
        case "", "0", "f", "false": excludesAlerts = false
        case "1", "t", "true": excludesAlerts = true
        case let text:
            throw .invalidParameter(
                "exclude_alerts",
                "error converting exclude_alerts: strconv.ParseBool: parsing \(GoQuote.quote(text)): invalid syntax")
        }
        names = Set(request.query.all("rule_name[]"))
        groups = Set(request.query.all("rule_group[]"))
        files = Set(request.query.all("file[]"))
        var sets: [[LabelMatcher]] = []
        for text in request.query.all("match[]") {
            do {
                sets.append(try Parser.parseSelector(text))
            } catch {
                throw .invalidParameter("match[]", error.description)
            }
        }
        matchers = sets
    }

    /// - Returns: the group with the rules that are wanted; nil when there are none.
    func apply(to group: RuleGroupStatus) -> RuleGroupStatus? {
        guard groups.isEmpty || groups.contains(group.name), files.isEmpty || files.contains(group.file) else {
            return nil
        }
        var filtered = group
        filtered.rules = group.rules.filter(isWanted)
        return filtered.rules.isEmpty ? nil : filtered
    }

    private func isWanted(_ rule: RuleStatus) -> Bool {
        if case .alerting = rule.kind {
            if showsAlerting == false { return false }
        } else if showsAlerting == true {
            return false
        }
        return (names.isEmpty || names.contains(rule.name))
            && (matchers.isEmpty || matchers.contains { $0.allSatisfy { $0.matches(rule.labels) } })
    }
}

/// Pages of rule groups: a page holds whole groups and tells the token of the group after it.
struct RulePaging {
    private let groupCountMax: Int?
    private let token: String

    init(_ request: APIRequest) throws(APIError) {
        let limit = request.query["group_limit"]
        token = request.query["group_next_token"]
        guard !limit.isEmpty else {
            guard token.isEmpty else {
                throw .invalidParameter(
                    "group_next_token", "group_limit needs to be present in order to paginate over the groups")
            }
            groupCountMax = nil
            return
        }
        guard let count = Int32(limit) else {
            throw .invalidParameter(
                "group_limit",
                "group_limit needs to be a valid number: strconv.ParseInt: parsing \(GoQuote.quote(limit)): "
                    + "invalid syntax")
        }
        guard count > 0 else { throw .invalidParameter("group_limit", "group_limit needs to be greater than 0") }
        groupCountMax = Int(count)
    }

    func page(of groups: [RuleGroupStatus]) throws(APIError) -> (groups: [RuleGroupStatus], nextToken: String?) {
        guard let groupCountMax else { return (groups, nil) }
        var rest = groups[...]
        if !token.isEmpty {
            rest = rest.drop { RulePaging.token(of: $0) != token }
            guard !rest.isEmpty else {
                throw .invalidParameter(
                    "group_next_token", "invalid group_next_token '\(token)'. were rule groups changed?")
            }
        }
        let page = rest.prefix(groupCountMax)
        return (Array(page), rest.dropFirst(page.count).first.map(RulePaging.token))
    }

    /// Clients hand it back as it is. It names the group that a page begins with, so groups that come or go elsewhere
    /// do not matter.
    private static func token(of group: RuleGroupStatus) -> String {
        let key = LabelSet([Label("file", group.file), Label("group", group.name)])
        return String(key.stableHash, radix: 16)
    }
}
