import SeriesModel

extension TargetGroup {
    /// Reads `[{"targets": [...], "labels": {...}}]`, as files and HTTP endpoints write it.
    /// - Parameter source: the name of the group with that number.
    static func list(_ value: JSONValue, source: (Int) -> String) throws(DiscoveryError) -> [TargetGroup] {
        if value.isNull { return [] }
        guard let elements = value.array else { throw DiscoveryError("json: target groups are no array") }
        var groups: [TargetGroup] = []
        for (index, element) in elements.enumerated() {
            guard !element.isNull else { throw DiscoveryError("nil target group item found (index \(index))") }
            do throws(DiscoveryError) {
                groups.append(try TargetGroup(element, source: source(index)))
            } catch {
                throw DiscoveryError("target group \(index): " + error.message)
            }
        }
        return groups
    }

    private init(_ value: JSONValue, source: String) throws(DiscoveryError) {
        guard let members = value.object else { throw DiscoveryError("json: no object") }
        if let unknown = members.keys.filter({ $0 != "targets" && $0 != "labels" }).min() {
            throw DiscoveryError("json: unknown field \(GoQuote.quote(unknown))")
        }
        var targets: [LabelSet] = []
        if let list = members["targets"], !list.isNull {
            guard let elements = list.array else { throw DiscoveryError("json: \"targets\" is no array") }
            for element in elements {
                guard let address = element.string else { throw DiscoveryError("json: a target is no string") }
                targets.append([TargetGroup.address: address])
            }
        }
        var labels: [Label] = []
        if let map = members["labels"], !map.isNull {
            guard let entries = map.object else { throw DiscoveryError("json: \"labels\" is no object") }
            for (name, value) in entries {
                guard LabelName.isValid(name) else {
                    throw DiscoveryError("\(GoQuote.quote(name)) is not a valid label name")
                }
                guard let text = value.string else {
                    throw DiscoveryError("json: the value of label \(GoQuote.quote(name)) is no string")
                }
                if !text.isEmpty { labels.append(Label(name, text)) }
            }
        }
        self.init(source: source, labels: LabelSet(labels), targets: targets)
    }
}
