import SeriesModel

/// The labels of one instance of a service, as `/v1/health/service` tells it.
enum ConsulTarget {
    /// Nil where node or service are missing. Without any address the target is `:port`, as in Prometheus.
    static func labels(_ entry: JSONValue, tagSeparator: String) -> LabelSet? {
        guard let node = entry["Node"], let service = entry["Service"] else { return nil }
        let nodeAddress = node["Address"]?.string ?? ""
        let serviceAddress = service["Address"]?.string ?? ""
        let host = serviceAddress.isEmpty ? nodeAddress : serviceAddress
        let port = service["Port"]?.port ?? 0
        var labels = MetaLabelBuilder()
        labels[TargetGroup.address] = MetaLabels.address(host, port)
        labels["__meta_consul_address"] = nodeAddress
        labels["__meta_consul_node"] = node["Node"]?.string
        labels["__meta_consul_namespace"] = service["Namespace"]?.string
        labels["__meta_consul_partition"] = service["Partition"]?.string
        // With separators at both ends, so that a rule finds a whole tag between two.
        let tags = service["Tags"]?.texts ?? []
        labels["__meta_consul_tags"] = tagSeparator + tags.joined(separator: tagSeparator) + tagSeparator
        labels["__meta_consul_service_address"] = serviceAddress
        labels["__meta_consul_service_port"] = String(port)
        labels["__meta_consul_service_id"] = service["ID"]?.string
        labels["__meta_consul_health"] = health(entry["Checks"]?.array ?? [])
        let maps = [
            (node["Meta"], "metadata_"), (service["Meta"], "service_metadata_"),
            (node["TaggedAddresses"], "tagged_address_"),
        ]
        for (map, prefix) in maps {
            for (name, value) in map?.textMembers ?? [] {
                labels["__meta_consul_" + prefix + MetaLabels.sanitized(name)] = value
            }
        }
        return labels.build()
    }

    /// The worst of the checks; maintenance before all. "" where one has a status that nobody knows, as Consul's own
    /// client says it.
    private static func health(_ checks: [JSONValue]) -> String {
        let ranks = ["passing", "warning", "critical", "maintenance"]
        var worst = 0
        for check in checks {
            let identifier = check["CheckID"]?.string ?? ""
            if identifier == "_node_maintenance" || identifier.hasPrefix("_service_maintenance:") {
                worst = 3
                continue
            }
            guard let rank = ranks.dropLast().firstIndex(of: check["Status"]?.string ?? "") else { return "" }
            worst = max(worst, rank)
        }
        return ranks[worst]
    }
}
